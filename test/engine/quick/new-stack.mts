import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The key of the secrets of all stacks that are made here. */
export const DATA_KEY: Buffer = createHash("sha256").update("the stacks of tests").digest();

const SECRETS = { url: "hashivault://tests", encryptedkey: Buffer.from("vault:v1:").toString("base64") };

/** What `pulumi stack init dev --secrets-provider hashivault://tests` leaves, in the project `test` in `folder`. */
export async function makeStack(folder: string): Promise<void> {
  const written = {
    "Pulumi.dev.yaml": `secretsprovider: ${SECRETS.url}\nencryptedkey: ${SECRETS.encryptedkey}\n`,
    "state/.pulumi/meta.yaml": "version: 1\n",
    "state/.pulumi/stacks/test/dev.json": JSON.stringify({
      version: 3,
      checkpoint: {
        stack: "organization/test/dev",
        latest: {
          manifest: { time: new Date(0).toISOString(), magic: "", version: "" },
          secrets_providers: { type: "cloud", state: SECRETS },
          metadata: {},
        },
      },
    }),
    [`home/workspaces/test-${sha1(join(folder, "Pulumi.yaml"))}-workspace.json`]: JSON.stringify({
      stacks: { [`file://${join(folder, "state")}`]: "organization/test/dev" },
    }),
  };
  await mkdir(join(folder, "state/.pulumi/stacks/test"), { recursive: true });
  await mkdir(join(folder, "home/workspaces"), { recursive: true });
  for (const [name, text] of Object.entries(written)) await writeFile(join(folder, name), text);
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
