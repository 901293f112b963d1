import { jsonDocument } from "../text/json-text.js";
import { type Diagnosis, isHealthy } from "./diagnosis.js";
import type { DoctorDocument } from "./doctor-document.js";

/** `format` is raised when a member changes its meaning; new members may come at any time. */
export function formatJson(diagnosis: Diagnosis): string {
  const { version, vaultUrl, checks, permissions, grants, missing } = diagnosis;
  const document: DoctorDocument = {
    format: "pulumi-keyvault/doctor/1",
    version,
    vaultUrl,
    healthy: isHealthy(diagnosis),
    checks,
    permissions,
    grants,
    missing,
  };
  return jsonDocument(document);
}
