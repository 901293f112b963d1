export const DRIFT_FORMATS = ["table", "json", "github", "junit", "markdown"] as const;

export type DriftFormat = (typeof DRIFT_FORMATS)[number];

export interface DriftOptions {
  from?: string;
  stack?: string[];
  /** A JSON file that names stacks. */
  fleet?: string;
  format: DriftFormat;
  failOnPending?: boolean;
  quiet?: boolean;
}
