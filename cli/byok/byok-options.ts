export interface ByokOptions {
  key: string;
  passphraseEnv?: string;
  passphraseFile?: string;
  kek: string;
  kekPem?: string;
  vault?: string;
  credential?: string;
  out: string;
  quiet?: boolean;
}
