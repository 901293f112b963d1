import { describe, expect, it } from "vitest";
import { partialStatus, StatusError } from "../../plugin/partial-status.js";
import { PartialOutcome } from "../../plugin/resource-calls.js";
import { readProperties } from "../../plugin/wire-properties.js";
import type { Properties } from "../../provider/engine/lifecycle.js";
import { messages, statusMessages } from "../../provider/engine/sdk-protocol.js";
import { withShown } from "../../provider/engine/shown-outputs.js";

const id = "https://contoso.vault.azure.net/keys";
const MESSAGE = "KV_FORBIDDEN: 1 key of the set";
const BLOB = "secret-blob";

function toldOf(outputs: Properties): { error: Error; sent: number; recorded: Properties; secrets: string[] } {
  const error = partialStatus(new PartialOutcome(MESSAGE, id, outputs, [MESSAGE]), new Set(["blobs"]));
  const [packed] = error instanceof StatusError ? error.metadata.get("grpc-status-details-bin") : [];
  if (packed === undefined) return { error, sent: 0, recorded: {}, secrets: [] };
  const [detail] = statusMessages.Status.deserializeBinary(Buffer.from(packed)).getDetailsList();
  const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  const { values, secrets } = readProperties(failed.getProperties());
  return { error, sent: packed.length, recorded: values, secrets: [...secrets] };
}

describe("what a failure brings along for the engine to record", () => {
  it("is all that there is, as far as the engine takes it", () => {
    const outputs = withShown({ blobs: "b".repeat(11_000_000), covered: "text" }, { covered: { orders: "version" } });
    const { sent, recorded, secrets } = toldOf(outputs);
    expect(sent).toBeGreaterThan(11_000_000);
    expect(recorded).toEqual(outputs);
    expect(secrets).toEqual(["blobs"]);
  });

  it("leaves out what is derived where that is too much", () => {
    const kept = { records: "r".repeat(6_000_000), covered: "text", blobs: BLOB };
    const { sent, recorded, secrets } = toldOf(withShown(kept, { names: ["n".repeat(7_000_000)], covered: {} }));
    expect(sent).toBeLessThan(6_100_000);
    expect(recorded).toEqual(kept);
    expect(secrets).toEqual(["blobs"]);
  });

  it("is nothing where even that is too much, and the message says what to do", () => {
    const { error, sent } = toldOf({ blobs: BLOB.repeat(1_200_000) });
    expect(sent).toBe(0);
    expect(error.message).toMatch(
      /^KV_FORBIDDEN: 1 key of the set\n.*too much to record beside a failure \(13\.\d MB, and 12 fit\): state stays.*folder/,
    );
    expect(error.message).not.toContain(BLOB);
  });
});
