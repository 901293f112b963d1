import { since } from "../api-version.js";
import type { Context } from "../operation.js";
import { badParameter } from "../service-error.js";
import type { StoredObject, StoredSecretVersion } from "../store/stored-object.js";

const formats: Record<string, string> = { "application/x-pem-file": "PEM", "application/x-pkcs12": "PFX" };

/**
 * `outContentType` of a read. The service turns the PFX of a certificate into PEM, and nothing else into anything; the
 * emulator holds no certificates, so that it turns nothing.
 *
 * @throws ServiceError 400 where another form is asked for than the one that is there.
 */
export function requireStoredFormat(context: Context, object: StoredObject, version: StoredSecretVersion): void {
  const wanted = context.query.get("outContentType") ?? "";
  if (wanted === "" || context.apiVersion < since.outContentType) return;
  if (object.managed && wanted === version.contentType) return;
  const format = formats[wanted] ?? "Unsupported";
  throw badParameter(
    `The 'Unsupported' to '${format}' transformation is not supported. Only PFX to PEM transformation is supported.`,
  );
}
