import { PLUGIN_RESOURCES } from "../plugin-resources.js";
import { backupTypes } from "./backup-schema.js";
import { configSchema } from "./config-schema.js";
import { functionSchemas, functionTypes } from "./function-schema.js";
import { inventoryTypes } from "./inventory-schema.js";
import { keyTypes } from "./key-schema.js";
import { keySetTypes } from "./key-set-schema.js";
import { objectTypes } from "./object-schema.js";
import type { InputSpec, PropertySpec, ResourceDescription } from "./package-spec.js";
import { secretTypes } from "./secret-schema.js";

/** The schema from which Pulumi makes the SDK of each language, and by which YAML programs are checked. */
export function packageSchema(version: string) {
  return {
    name: "keyvault",
    displayName: "Azure Key Vault",
    version,
    description:
      "Azure Key Vault keys and secrets as declarative resources: import, backup, restore, inventory and drift, with private key material never in state.",
    keywords: ["azure", "keyvault", "secrets", "category/cloud"],
    license: "Apache-2.0",
    publisher: "pulumi-keyvault",
    meta: { moduleFormat: "(.*)" },
    config: { variables: configSchema },
    provider: { description: "How vaults are reached.", inputProperties: configSchema },
    types: named({
      ...objectTypes,
      ...keyTypes,
      ...keySetTypes,
      ...secretTypes,
      ...backupTypes,
      ...inventoryTypes,
      ...functionTypes,
    }),
    resources: Object.fromEntries(
      Object.entries(PLUGIN_RESOURCES).map(([type, { schema, dynamicType }]) => [
        type,
        { ...resourceSchema(schema), aliases: [{ type: dynamicType }] },
      ]),
    ),
    functions: named(
      Object.fromEntries(
        Object.entries(functionSchemas).map(([name, { description, inputs, required, outputs, given }]) => [
          name,
          {
            description,
            inputs: { type: "object", properties: inputs, required },
            outputs: { type: "object", properties: outputs, required: given },
          },
        ]),
      ),
    ),
    language: LANGUAGES,
  };
}

const LANGUAGES = {
  nodejs: { packageName: "pulumi-keyvault-sdk", respectSchemaVersion: true },
  python: { packageName: "pulumi_keyvault", respectSchemaVersion: true, pyproject: { enabled: true } },
  go: {
    importBasePath: "github.com/pulumi-keyvault/pulumi-keyvault/sdk/go/keyvault",
    generateResourceContainerTypes: true,
    respectSchemaVersion: true,
  },
  csharp: { namespaces: { keyvault: "KeyVault" }, respectSchemaVersion: true },
};

function resourceSchema({ description, inputs, required, echoed, outputs, given }: ResourceDescription) {
  const inputProperties = Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, propertyOf(spec)]));
  const echoes = echoed.map((name) => [name, inputProperties[name]]);
  return {
    description,
    inputProperties,
    requiredInputs: required,
    properties: { ...Object.fromEntries(echoes), ...outputs },
    required: given,
  };
}

function propertyOf({ effect, ...spec }: InputSpec): PropertySpec {
  return spec;
}

function named<T>(members: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [`keyvault:index:${name}`, member]));
}
