export interface EmulatorCommandOptions {
  vault: string[];
  plane: "vault" | "managedhsm";
  sku: "standard" | "premium";
  store?: string;
  port?: number;
  timing: "instant" | "short" | "recorded";
  fault: string[];
  throttling?: number | true;
  seed?: string;
  seedFrom?: string;
  credential?: string;
  tls: boolean;
  caFile?: string;
  writeEnv?: string;
  force?: boolean;
  quiet?: boolean;
}
