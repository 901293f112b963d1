export interface AdoptOptions {
  vault?: string;
  only?: string[];
  ignore?: string[];
  program: string;
  importFile?: string;
  stack?: string | true;
  credential?: string;
  force?: boolean;
  quiet?: boolean;
}
