import fc from "fast-check";
import { expect, test } from "vitest";
import { readMoment } from "../../provider/engine/moment.js";
import { parsePeriod } from "../../provider/inventory/period.js";
import { parseChallenge, refuseResource } from "../../provider/keyvault/challenge.js";
import { parseAllowedDomains } from "../../provider/keyvault/cloud-domains.js";
import { parseVaultUrl, tryParseObjectIdentifier, vaultKey } from "../../provider/keyvault/identifier.js";
import { formatPath } from "../../provider/keyvault/object-path.js";
import { redact } from "../../provider/keyvault/redaction.js";
import { parseDeletionReport } from "../../provider/object/deletion-report.js";
import { parseStalenessReport } from "../../provider/object/staleness-report.js";
import { parseUnmanagedChange } from "../../provider/object/unmanaged-change.js";
import { parseGlob } from "../../provider/vault/name-glob.js";
import { hostileText } from "../cli/hostile-text.js";
import { SHARES, survives, timeoutFor } from "./generated-run.js";

const host = fc.oneof(
  fc.constantFrom(
    "v.vault.azure.net",
    "V.VAULT.azure.net.",
    "xn--vlt-hoa.vault.azure.net",
    "[::1]",
    "localhost",
    "1",
    "a..b",
  ),
  fc.domain(),
  hostileText,
);
const url = fc
  .tuple(
    fc.constantFrom("https://", "http://", "HTTPS:\\\\", "embedded:", "//", ""),
    fc.constantFrom("", "", "", "user:password@"),
    host,
    fc.constantFrom("", ":443", ":0443", ":65536", ":-1"),
    fc.constantFrom("", "/", "/keys/a", "/keys/a/1?x#y", "/keys/%0A", "/secrets/%2e%2e/%zz", "/deletedkeys/\ud800"),
  )
  .map((parts) => parts.join(""));
const text = fc.oneof(
  url,
  hostileText,
  fc.constantFrom("x".repeat(100_000), "*".repeat(999), "{a,".repeat(333), "[".repeat(999), "*a".repeat(499)),
  fc.constantFrom("2027-02-31T00:00:00Z", "9999-12-31T23:59:59-14:00", "-1", "P1D", "30d", "1e9d", "P9999999999Y"),
  fc
    .array(fc.constantFrom("*", "?", "[a-z]", "[!b]", "{a,b}", "{", "}", ",", "!", "a", "-"), { maxLength: 60 })
    .map((parts) => parts.join("")),
  fc
    .array(
      fc.constantFrom(
        "Bearer ",
        'resource="https://vault.azure.net"',
        "authorization=",
        "https://login/",
        '"',
        ",",
        " ",
        "claims=",
        "\\",
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom('"k": ', '"d":"', "\\", '"', "eyJ", "Bearer ", "-----BEGIN X-----", "A".repeat(40), " "), {
      maxLength: 60,
    })
    .map((parts) => parts.join("")),
);

test(
  "identifiers, URLs, globs, moments, challenges and reports of any text are read or refused",
  { timeout: timeoutFor(SHARES.identifiers) },
  () =>
    survives(fc.tuple(text, text), SHARES.identifiers, ([one, other]) => {
      const outcomes: unknown[] = [];
      const coded = (read: () => unknown): void => {
        try {
          outcomes.push(read());
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^KV_/) });
        }
      };
      coded(() => parseVaultUrl(one));
      coded(() => formatPath(["keys", one, other]));
      coded(() => parseAllowedDomains([one]));
      coded(() => readMoment(one));
      coded(() => parsePeriod(one));
      coded(() => vaultKey(one));
      coded(() => tryParseObjectIdentifier(one));
      coded(() => parseGlob(one)?.("a".repeat(127)));
      coded(() => refuseResource(parseChallenge(one)?.resource ?? other, "https://v.vault.azure.net"));
      coded(() => [parseDeletionReport(one), parseStalenessReport(one), parseUnmanagedChange(one)]);
      coded(() => redact(one, { secrets: [other] }));
      return outcomes;
    }),
);
