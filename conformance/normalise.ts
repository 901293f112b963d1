import type { Correspondence } from "./correspondence.js";
import { identifierOf } from "./operation.js";

const guid = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12,13}\b/gi;

/**
 * A message without what differs from vault to vault and from caller to caller: hosts, callers, client addresses,
 * request ids; versions are those of the emulator.
 */
export function normaliseMessage(message: string, versions?: Correspondence): string {
  return message
    .replace(/\r\n/g, "\n")
    .replace(/^(?:Key not found: )+(?=https?:)/, "Key not found: ")
    .replace(/'(appid=[^']*)'/g, "'<caller>'")
    .replace(/^(Caller|Resource|Assignment|DenyAssignmentId|DecisionReason): .*\n?/gm, "")
    .replace(/Expected https:\S+, found: \S+/g, "Expected <resource>, found: <audience>")
    .replace(/Expected one of .*/gs, "Expected one of <issuers>")
    .replace(/Reason: Vault\w+LimitReached/g, "Reason: <limit>")
    .replace(/Client address: \S+/g, "Client address: <address>")
    .replace(/from unknown subnet/g, "")
    .replace(/key vault '[^']*'/g, "key vault '<vault>'")
    .replace(/Vault: .*/g, "Vault: <vault>")
    .replace(/\(Activity ID: [^)]*\)/g, "(Activity ID: <id>)")
    .replace(/https?:\/\/[^\s'"()]+/g, (url) => normaliseUrl(url, versions))
    .replace(/\b[0-9a-f]{32}\b/g, (version) => versions?.version(version) ?? version)
    .replace(guid, "<guid>")
    .replace(/[ \t]+$/gm, "")
    .trimEnd();
}

/** Object identifiers lose their host; links to documentation stay. */
function normaliseUrl(url: string, versions: Correspondence | undefined): string {
  const identifier = identifierOf(url);
  if (identifier !== undefined) {
    const version =
      identifier.version === undefined ? "" : `/${versions?.version(identifier.version) ?? identifier.version}`;
    return `<vault>/${identifier.name.toLowerCase()}${version}`;
  }
  return url;
}
