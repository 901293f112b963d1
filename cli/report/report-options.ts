export const REPORT_FORMATS = ["html", "json"] as const;

export interface ReportOptions {
  vault?: string[];
  fleet?: string;
  stack?: string[] | true;
  /** A file with what `pulumi preview --refresh --json` printed. */
  drift?: string;
  format: (typeof REPORT_FORMATS)[number];
  /** A file, or `-` for standard output. */
  output?: string;
  force?: boolean;
  ignore?: string[];
  /** In milliseconds. */
  expiresWithin: number;
  credential?: string;
  quiet?: boolean;
}
