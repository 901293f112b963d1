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
  /** All keys in one KeySet of this name. */
  set?: string | true;
  force?: boolean;
  quiet?: boolean;
}
