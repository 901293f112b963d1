export interface AdoptOptions {
  vault?: string;
  only?: string[];
  ignore?: string[];
  program: string;
  importFile?: string;
  stack?: string | true;
  credential?: string;
  /** For a program of the plugin, in whatever language: the import file alone. */
  plugin?: boolean;
  force?: boolean;
  quiet?: boolean;
}
