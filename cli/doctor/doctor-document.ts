import { z } from "zod";
import { CHECK_RESULTS, CHECKS, PERMISSION_RESULTS } from "./diagnosis.js";

/** What `doctor --json` prints. `docs/schemas/doctor.json` is made of it. */
export const doctorDocument = z.object({
  format: z.literal("pulumi-keyvault/doctor/1"),
  version: z.string().describe("Of pulumi-keyvault."),
  vaultUrl: z.string(),
  healthy: z.boolean().describe("Whether no check failed, and all of --require is allowed."),
  checks: z.array(
    z.object({
      check: z.enum(CHECKS),
      result: z.enum(CHECK_RESULTS),
      found: z.string(),
      remedy: z.string().optional(),
      code: z.string().optional().describe("Of a failure: a KV_ code."),
      innerCode: z.string().optional().describe("Of a refusal: the service's inner code."),
    }),
  ),
  permissions: z.array(
    z.object({
      permission: z.string().describe("As access policies have it."),
      operations: z.array(z.string()).describe("Of the REST API."),
      result: z.enum(PERMISSION_RESULTS).describe("Not tried: it could not be found out without changing the vault."),
      usedFor: z.string(),
      dataAction: z.string().optional(),
      role: z.string().optional().describe("The built-in role with the fewest rights that has it."),
      code: z.string().optional(),
      innerCode: z.string().optional(),
    }),
  ),
  grants: z.array(z.string()).describe("Lines for a shell that grant what was refused."),
  missing: z.array(z.string()).describe("Of --require, what is not allowed."),
});

export type DoctorDocument = z.input<typeof doctorDocument>;
