import { listed } from "./object-schema.js";
import {
  count,
  type EnumTypeSpec,
  flag,
  many,
  type ObjectTypeSpec,
  one,
  type PropertySpec,
  type ResourceDescription,
  replaces,
  text,
  textMap,
  texts,
} from "./package-spec.js";

const LISTS = ["unmanaged", "missing", "softDeleted", "managedByCertificates", "expiring", "withoutRotation"] as const;

function inventory(kind: "key" | "secret", needs: string): ResourceDescription {
  const plural = `${kind}s`;
  const Kind = kind === "key" ? "Key" : "Secret";
  const outputs: Record<string, PropertySpec> = {
    count: count(`All ${plural} of the vault, those of certificates and ignored ones included.`),
    counts: {
      type: "object",
      additionalProperties: { type: "integer" },
      description: "How many names belong into each list.",
    },
    unmanaged: texts(`${Kind}s that are neither expected nor ignored.`),
    missing: texts(`${Kind}s that are expected and not there.`),
    softDeleted: texts(`Deleted ${plural} that can be recovered.`),
    managedByCertificates: texts(`${Kind}s that a certificate of the same name has: never unmanaged.`),
    expiring: texts("Empty without `expiresWithin`."),
    ...(kind === "key"
      ? { withoutRotation: texts("Keys whose rotation policy does not rotate them. Empty without `rotation`.") }
      : {}),
    unread: many("InventoryList", "Lists that are empty because a permission is missing to read them."),
    digest: text(
      `Changes with the names that are watched and, for ${plural} without a resource, with their state and version.`,
    ),
  };
  return {
    description: `What ${plural} a vault holds, against what the program expects. It reads and never writes; needs ${needs}.\n\nA refresh compares the vault with what the last update recorded: what differs is drift, \`drift["<name>"]\` in the preview's diff. \`pulumi up --refresh\` accepts it. Lists of names are sorted, and state holds as many names as fit 16,000 characters; \`counts\` tells how many there are.`,
    inputs: {
      vaultUrl: replaces(
        text(
          "URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another inventory. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.",
        ),
      ),
      expect: texts(`Names of ${plural} that the vault is to have.`),
      expectResources: many(
        "ExpectedObject",
        `${Kind}s of the program that the vault is to have: each tells itself when it is changed, so the inventory watches only whether it is there.`,
      ),
      ignore: texts("Names and globs, such as `temp-*`, of what is nobody's business."),
      onUnmanaged: one(
        "OnUnmanaged",
        "With `fail`, an update fails with `KV_UNMANAGED` as long as the vault holds something that is neither expected nor ignored, and records nothing; `pulumi up --refresh` looks in each run. Default `report`: it is listed in `unmanaged`.",
      ),
      expiresWithin: text(
        "Fill `expiring` with what expires within this time, such as `30d` or `P30D`, or has expired.",
      ),
      ...(kind === "key"
        ? {
            rotation: flag(
              "Fill `withoutRotation`. One request for each key; needs keys/getrotationpolicy. Default false.",
            ),
          }
        : {}),
      [`include${Kind}s`]: flag(
        `Fill \`${plural}\`, and cut no list of names. State grows by some 150 bytes a ${kind}. Default false.`,
      ),
      credential: text(
        "Who asks the vault: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`. Default: as the stack says.",
      ),
    },
    required: [],
    echoed: ["vaultUrl"],
    outputs: {
      ...outputs,
      [plural]: many(`Inventory${Kind}`, `Only where \`include${Kind}s\` asks for it.`),
    },
    given: ["vaultUrl", ...Object.keys(outputs)],
  };
}

export const keyInventorySchema = inventory("key", "keys/list");
export const secretInventorySchema = inventory("secret", "secrets/list");

const item: Record<string, PropertySpec> = {
  name: text("Its name."),
  enabled: flag("Whether it can be used."),
  createdOn: text("ISO 8601."),
  updatedOn: text("ISO 8601."),
  notBefore: text("ISO 8601."),
  expiresOn: text("ISO 8601."),
  tags: textMap("Those of the vault."),
  managed: flag("It belongs to a certificate."),
};

export const inventoryTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  OnUnmanaged: listed("What happens where a vault holds what nobody expects.", ["report", "fail"]),
  InventoryList: listed("The lists of an inventory.", LISTS),
  ExpectedObject: {
    type: "object",
    description: "The outputs of a key or secret of the program by which an inventory knows it.",
    properties: { vaultUrl: text("Its `vaultUrl`."), name: text("Its `name`.") },
    required: ["vaultUrl", "name"],
  },
  InventoryKey: {
    type: "object",
    description: "A key of a vault, as its list says it.",
    properties: item,
    required: ["name", "enabled"],
  },
  InventorySecret: {
    type: "object",
    description: "A secret of a vault, as its list says it: without its value.",
    properties: { ...item, contentType: text("Its content type.") },
    required: ["name", "enabled"],
  },
};
