export const DOCTOR_FORMATS = ["table", "json"] as const;

export interface DoctorOptions {
  vault?: string;
  credential?: string;
  format: (typeof DOCTOR_FORMATS)[number];
  json?: boolean;
  /** Permissions such as `keys/backup`, without which the exit code is 7. */
  require?: string[];
  /** In milliseconds, of each look. */
  timeout: number;
}
