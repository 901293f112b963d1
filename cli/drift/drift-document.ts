import { z } from "zod";

const resource = {
  urn: z.string(),
  type: z.string().describe("The last part of the resource's type, such as Key."),
  name: z.string().describe("In the program."),
  stack: z.string().optional().describe("In a report of several stacks."),
  object: z
    .object({ kind: z.string().describe("key, secret or vault"), name: z.string(), vaultUrl: z.string() })
    .optional()
    .describe("In the vault, for the resources of this package."),
};

const changed = z.array(
  z.object({
    ...resource,
    changes: z.array(
      z.object({
        property: z.string().describe("Such as tags.team; empty where the whole object is gone."),
        recorded: z.string().optional().describe("Left out where there was nothing. A secret is (secret)."),
        observed: z.string().optional().describe("Left out where there is nothing. A secret is (secret, changed)."),
        consequence: z.string().describe("What the next pulumi up --refresh does about it."),
      }),
    ),
  }),
);

/** What `drift --format json` prints. `docs/schemas/drift.json` is made of it. */
export const driftDocument = z.object({
  format: z.literal("pulumi-keyvault/drift/1"),
  drift: z.boolean(),
  complete: z.boolean().describe("False where an object could not be read, or a stack not previewed."),
  counts: z.object({
    compared: z.number(),
    drifted: z.number(),
    settled: z.number(),
    unmanaged: z.number(),
    pending: z.number(),
    unread: z.number(),
  }),
  drifted: changed.describe("Left the recorded state, and the next up --refresh acts on it."),
  settled: changed.describe("Left the recorded state, and the program agrees or ignores it."),
  unmanaged: changed.describe("Changed in what the program leaves out."),
  pending: z
    .array(z.object({ ...resource, operation: z.string(), properties: z.array(z.string()) }))
    .describe("Changes of the program that wait to be deployed."),
  followUps: z.array(z.object(resource)).describe("Change only because something else does."),
  unread: z.array(z.object({ ...resource, reason: z.string() })),
  failedStacks: z.array(z.object({ stack: z.string(), reason: z.string() })),
  notes: z.array(z.string()),
});

export type DriftDocument = z.input<typeof driftDocument>;
