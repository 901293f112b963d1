import { afterEach, describe, expect, it } from "vitest";
import { callFunction } from "../../plugin/plugin-functions.js";
import { PLUGIN_RESOURCES } from "../../plugin/plugin-resources.js";
import { configProblems, configure } from "../../plugin/provider-config.js";
import { checkResource, diffResource } from "../../plugin/resource-calls.js";
import { functionSchemas } from "../../plugin/schema/function-schema.js";
import { packageSchema } from "../../plugin/schema/package-schema.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import { documentedMembers } from "./documented-members.js";

/** Where the TypeScript types of each resource stand: its arguments, and its class. */
const TYPES: Record<string, { args: [file: string, type: string][]; class: [file: string, type: string] }> = {
  Key: {
    args: [
      ["sdk/object-args.ts", "ObjectArgs"],
      ["sdk/key.ts", "KeySettings"],
      ["sdk/key.ts", "KeySource"],
    ],
    class: ["sdk/key.ts", "Key"],
  },
  KeySet: {
    args: [
      ["sdk/object-args.ts", "ObjectArgs"],
      ["sdk/key.ts", "KeySettings"],
      ["sdk/key-set.ts", "SetSettings"],
      ["sdk/key-set.ts", "KeySetArgs"],
    ],
    class: ["sdk/key-set.ts", "KeySet"],
  },
  Secret: {
    args: [
      ["sdk/object-args.ts", "ObjectArgs"],
      ["sdk/secret.ts", "SecretSettings"],
      ["sdk/secret.ts", "SecretSource"],
    ],
    class: ["sdk/secret.ts", "Secret"],
  },
  KeyBackup: {
    args: [
      ["sdk/backup-resource.ts", "BackupArgs"],
      ["sdk/key-backup.ts", "KeyBackupArgs"],
    ],
    class: ["sdk/key-backup.ts", "KeyBackup"],
  },
  SecretBackup: {
    args: [
      ["sdk/backup-resource.ts", "BackupArgs"],
      ["sdk/secret-backup.ts", "SecretBackupArgs"],
    ],
    class: ["sdk/secret-backup.ts", "SecretBackup"],
  },
  VaultBackup: {
    args: [
      ["sdk/backup-resource.ts", "BackupArgs"],
      ["sdk/vault-backup.ts", "VaultBackupSettings"],
      ["sdk/vault-backup.ts", "SelectedKeys"],
      ["sdk/vault-backup.ts", "SelectedSecrets"],
    ],
    class: ["sdk/vault-backup.ts", "VaultBackup"],
  },
  KeyInventory: {
    args: [
      ["sdk/inventory-inputs.ts", "InventoryArgs"],
      ["sdk/key-inventory.ts", "KeyInventoryArgs"],
    ],
    class: ["sdk/key-inventory.ts", "KeyInventory"],
  },
  SecretInventory: {
    args: [
      ["sdk/inventory-inputs.ts", "InventoryArgs"],
      ["sdk/secret-inventory.ts", "SecretInventoryArgs"],
    ],
    class: ["sdk/secret-inventory.ts", "SecretInventory"],
  },
};

/** Arguments that are other members in the schema: a union in TypeScript, or a resource in the place of its outputs. */
const OTHER_MEMBERS: Record<string, Record<string, string[]>> = {
  Secret: { value: ["value", "valueFrom"] },
  KeyBackup: { key: ["name", "version", "updatedOn", "rotationPolicy"] },
  SecretBackup: { secret: ["name", "version", "updatedOn"] },
  VaultBackup: { keys: ["keys", "keyResources"], secrets: ["secrets", "secretResources"] },
  // Of an object's arguments a set has no name.
  KeySet: { name: [] },
  KeyInventory: { expect: ["expect", "expectResources"], keys: ["includeKeys"] },
  SecretInventory: { expect: ["expect", "expectResources"], secrets: ["includeSecrets"] },
};

/** Said otherwise in the schema, since the TypeScript text is of what TypeScript alone has. */
const OWN_WORDS: Record<string, string[]> = {
  KeyBackup: ["credential", "vaultUrl", "name", "blob", "file"],
  SecretBackup: ["credential", "vaultUrl", "name", "blob", "file"],
  VaultBackup: ["credential", "vaultUrl", "keys"],
  KeyInventory: ["expect", "keys"],
  SecretInventory: ["expect", "secrets"],
};

/** What a class has for TypeScript programs alone. */
const OF_CLASSES = ["__pulumiType", "restorable", "kind"];

const resources = Object.entries(PLUGIN_RESOURCES).map(([type, resource]) => ({
  name: type.split(":").at(-1) ?? "",
  type,
  resource,
}));

const urnOf = (type: string): string => `urn:pulumi:dev::shop::${type}::orders`;

afterEach(() => {
  forgetDeclaredObjects();
  configure({});
});

describe.each(resources)("the schema of $name", ({ name, type, resource: { schema, dynamicType } }) => {
  const { args, class: classOf } = TYPES[name] ?? { args: [], class: ["", ""] };
  const argumentsInTypes = mergedMembers(args);
  const outputsInTypes = mergedMembers([classOf]);

  it("takes each argument of the TypeScript types, and no other", () => {
    const known = [...argumentsInTypes.keys()].flatMap((argument) => OTHER_MEMBERS[name]?.[argument] ?? [argument]);
    expect(Object.keys(schema.inputs).sort()).toEqual([...new Set(known)].sort());
  });

  it("gives each output of the TypeScript class, and no other", () => {
    const given = [...schema.echoed, ...Object.keys(schema.outputs)];
    const inClass = [...outputsInTypes.keys()].filter((output) => !OF_CLASSES.includes(output));
    expect([...new Set(given)].sort()).toEqual(expect.arrayContaining(inClass));
    const more = given.filter((output) => !inClass.includes(output));
    expect(more.filter((output) => !Object.hasOwn(schema.inputs, output))).toEqual([]);
  });

  it("says of each argument and output what the TypeScript types say", () => {
    const own = OWN_WORDS[name] ?? [];
    const wrong = Object.entries(schema.inputs)
      .filter(([input]) => argumentsInTypes.has(input) && !own.includes(input))
      .filter(([input, { description }]) => !argumentsInTypes.get(input)?.includes(description))
      .map(([input]) => `input ${input}`);
    const wrongOutputs = Object.entries(schema.outputs)
      .filter(([output]) => !own.includes(output))
      .filter(([output]) => outputsInTypes.get(output)?.some((text) => text !== ""))
      .filter(([output, { description }]) => !outputsInTypes.get(output)?.includes(description))
      .map(([output]) => `output ${output}`);
    expect([...wrong, ...wrongOutputs]).toEqual([]);
  });

  it("has inputs that the check takes, and no other", async () => {
    const failuresOf = async (inputs: Record<string, unknown>): Promise<string[]> =>
      (await checkResource(urnOf(type), {}, inputs, undefined)).failures.map(({ reason }) => reason);
    const strange = /is not a property of this resource/;
    for (const input of Object.keys(schema.inputs)) {
      expect(
        (await failuresOf({ [input]: UNKNOWN })).filter((reason) => strange.test(reason)),
        input,
      ).toEqual([]);
    }
    // What TypeScript's classes hand on beside the program's arguments is nobody's to give here.
    for (const planted of ["planted", "owner", "claimant", "autoName", "entries", "restoreFrom"]) {
      const refusals = (await failuresOf({ [planted]: { a: "1" } })).filter((reason) => strange.test(reason));
      expect(refusals, planted).toEqual([`KV_INVALID_INPUT: "${planted}" is not a property of this resource`]);
    }
  });

  it("has the values of each list that the check takes", async () => {
    const { types } = packageSchema("0.0.0");
    for (const [input, { $ref = "" }] of Object.entries(schema.inputs)) {
      const listed = Object.entries(types).find(([token]) => $ref === `#/types/${token}`)?.[1];
      if (listed === undefined || !("enum" in listed)) continue;
      const { failures } = await checkResource(urnOf(type), {}, { [input]: "nonsense" }, undefined);
      const refusal = failures.find(({ reason }) => reason.includes(`${input}: must be`))?.reason;
      for (const { value } of listed.enum) {
        expect(refusal, input).toContain(String(value));
        const taken = await checkResource(urnOf(type), {}, { [input]: value }, undefined);
        expect(taken.failures.filter(({ reason }) => reason.includes(`${input}:`))).toEqual([]);
      }
    }
  });

  it("marks as replacing what the diff replaces for, and as silent what says that it sends nothing", async () => {
    const olds = { vaultUrl: "https://a.vault.azure.net", name: "a", version: "0", blob: "b", covered: {} };
    const news = { vaultUrl: "https://b.vault.azure.net", name: "b" };
    const { replaces } = await diffResource(urnOf(type), "id", { olds, oldInputs: olds, news });
    const replacing = Object.keys(schema.inputs).filter((input) => schema.inputs[input]?.willReplaceOnChanges);
    expect(replaces.filter((input) => Object.hasOwn(schema.inputs, input)).sort()).toEqual(replacing.sort());
    for (const [input, { effect, description }] of Object.entries(schema.inputs)) {
      if (/Changing (it|them) sends nothing/.test(description)) expect(effect, input).toBe("nothing");
      if (/Changing (it|them) patches/.test(description)) expect(effect, input).toBe("patch");
      if (/Changing it makes a new version/.test(description)) expect(effect, input).toBeUndefined();
    }
  });

  it("is aliased to the type of the dynamic provider", () => {
    expect(Object.values(RESOURCE_TYPES)).toContain(dynamicType);
    expect(dynamicType.split(":").at(-1)).toBe(name);
  });
});

/** Types of arguments, by the aliases and interfaces that say the same in TypeScript. */
const ARGUMENT_TYPES: [type: string, file: string, inTypes: string[], more: string[]][] = [
  ["KeyGenerate", "sdk/key.ts", ["KeyGenerate", "Keepers"], []],
  ["KeySetImport", "sdk/key-set.ts", ["KeySetImport"], ["wrapWith", "passphraseFrom"]],
  ["KeyRotation", "sdk/key.ts", ["KeyRotation"], []],
  ["KeyImport", "sdk/key.ts", ["KeyImport", "TransferredKey", "Wrapped"], ["passphraseFrom"]],
  ["SecretGenerate", "sdk/secret.ts", ["SecretGenerate"], []],
  ["OperationTimeouts", "sdk/object-args.ts", ["OperationTimeouts"], []],
  ["InventoryKey", "provider/inventory/inventory-inputs.ts", ["InventoryKey"], []],
  ["InventorySecret", "provider/inventory/inventory-inputs.ts", ["InventoryKey", "InventorySecret"], []],
];

describe.each(ARGUMENT_TYPES)("the schema's type %s", (type, file, inTypes, more) => {
  it("has the members of the TypeScript type", () => {
    const described = packageSchema("0.0.0").types[`keyvault:index:${type}`];
    const properties = described && "properties" in described ? described.properties : {};
    const inTypeScript = mergedMembers(inTypes.map((name) => [file, name]));
    expect(Object.keys(properties).sort()).toEqual([...new Set([...inTypeScript.keys(), ...more])].sort());
  });
});

const CALL = "sdk/functions/function-call.ts";
const USE = "sdk/functions/use-key.ts";
const FACTS = "provider/functions/object-facts.ts";
const KEY_TO_USE: [file: string, type: string][] = [
  [CALL, "ObjectName"],
  [USE, "KeyToUse"],
];

/** Where the TypeScript types of each function stand that is one there too: its arguments, and its result. */
const FUNCTION_TYPES: Record<string, { args: [file: string, type: string][]; result: [file: string, type: string][] }> =
  {
    getKey: {
      args: [[CALL, "ObjectName"]],
      result: [
        [FACTS, "ObjectFacts"],
        [FACTS, "GetKeyResult"],
      ],
    },
    getKeyVersion: {
      args: [
        [CALL, "ObjectName"],
        ["sdk/functions/get-key.ts", "GetKeyVersionArgs"],
        ["sdk/functions/get-key.ts", "VersionedId"],
      ],
      result: [
        [FACTS, "ObjectFacts"],
        [FACTS, "GetKeyResult"],
      ],
    },
    getSecret: {
      args: [
        [CALL, "ObjectName"],
        ["sdk/functions/get-secret.ts", "GetSecretArgs"],
      ],
      result: [
        [FACTS, "ObjectFacts"],
        [FACTS, "SecretMetadata"],
        ["sdk/functions/get-secret.ts", "GetSecretResult"],
      ],
    },
    getSecretMetadata: {
      args: [
        [CALL, "ObjectName"],
        ["sdk/functions/get-secret.ts", "GetSecretArgs"],
      ],
      result: [
        [FACTS, "ObjectFacts"],
        [FACTS, "SecretMetadata"],
      ],
    },
    encrypt: {
      args: [...KEY_TO_USE, [USE, "EncryptSettings"], [USE, "EncryptArgs"]],
      result: [[USE, "EncryptResult"]],
    },
    decrypt: {
      args: [...KEY_TO_USE, [USE, "DecryptSettings"], [USE, "DecryptArgs"]],
      result: [[USE, "DecryptResult"]],
    },
    sign: { args: [...KEY_TO_USE, [USE, "SignSettings"], [USE, "ToSign"]], result: [[USE, "SignResult"]] },
    verify: {
      args: [...KEY_TO_USE, [USE, "SignSettings"], [USE, "ToSign"], [USE, "VerifyArgs"]],
      result: [[USE, "VerifyResult"]],
    },
    wrapKey: { args: [...KEY_TO_USE, [USE, "WrapSettings"], [USE, "WrapKeyArgs"]], result: [[USE, "WrapKeyResult"]] },
    unwrapKey: { args: [...KEY_TO_USE, [USE, "UnwrapSettings"]], result: [[USE, "UnwrapKeyResult"]] },
  };

/** Arguments of functions that are other members in the schema: bytes, and what a program of TypeScript alone has. */
const OTHER_ARGUMENTS: Record<string, string[]> = {
  key: [],
  signal: [],
  plaintext: ["plaintext", "plaintextBase64url"],
  data: ["data", "dataBase64url"],
  digest: ["digestBase64url"],
  keyToWrap: ["keyToWrapBase64url"],
};

/** Said otherwise in the schema: bytes are text there, and a value marks itself as secret. */
const OWN_WORDS_OF_FUNCTIONS = "additionalData algorithm credential id iv plaintext unwrappedKey value".split(" ");

describe("the schema of the functions", () => {
  it.each(Object.entries(FUNCTION_TYPES))("takes the arguments of %s in TypeScript, and no other", (name, { args }) => {
    const inTypeScript = [...mergedMembers([...args, ["sdk/list-options.ts", "ListOptions"]]).keys()];
    const known = inTypeScript.flatMap((argument) => OTHER_ARGUMENTS[argument] ?? [argument]);
    expect(Object.keys(functionSchemas[name]?.inputs ?? {}).sort()).toEqual([...new Set(known)].sort());
  });

  it.each(Object.entries(FUNCTION_TYPES))("gives the result of %s in TypeScript, and no other", (name, { result }) => {
    expect(Object.keys(functionSchemas[name]?.outputs ?? {}).sort()).toEqual([...mergedMembers(result).keys()].sort());
  });

  it.each(Object.entries(FUNCTION_TYPES))("says of the members of %s what the TypeScript types say", (name, types) => {
    const { inputs = {}, outputs = {} } = functionSchemas[name] ?? {};
    const otherwise = (members: typeof inputs, inTypes: Map<string, string[]>): string[] =>
      Object.entries(members)
        .filter(([member]) => !OWN_WORDS_OF_FUNCTIONS.includes(member))
        .filter(([member]) => inTypes.get(member)?.some((text) => text !== ""))
        .filter(([member, { description }]) => !inTypes.get(member)?.includes(description))
        .map(([member, { description }]) => `${member}: ${description} | ${inTypes.get(member)?.join(" / ")}`);
    const args = mergedMembers([...types.args, ["sdk/list-options.ts", "ListOptions"]]);
    expect([...otherwise(inputs, args), ...otherwise(outputs, mergedMembers(types.result))]).toEqual([]);
  });

  it("has beside them what is a list in TypeScript", () => {
    const others = Object.keys(functionSchemas).filter((name) => !Object.hasOwn(FUNCTION_TYPES, name));
    expect(others.filter((name) => !name.startsWith("list"))).toEqual([]);
  });
});

describe("the package schema", () => {
  const schema = packageSchema("1.2.3");

  it("has all types that it refers to, and refers to all that it has", () => {
    const text = JSON.stringify(schema);
    const referred = new Set([...text.matchAll(/"\$ref":"#\/types\/([^"]+)"/g)].map(([, type]) => type));
    expect([...referred].sort()).toEqual(Object.keys(schema.types).sort());
  });

  it("describes everything", () => {
    const bare: string[] = [];
    const visit = (path: string, members: Record<string, { description?: string }>): void => {
      for (const [name, { description }] of Object.entries(members)) if (!description) bare.push(`${path}.${name}`);
    };
    for (const [token, type] of Object.entries(schema.types)) if ("properties" in type) visit(token, type.properties);
    for (const [token, { inputs, outputs }] of Object.entries(schema.functions)) {
      visit(token, inputs.properties);
      visit(token, outputs.properties);
    }
    visit("config", schema.config.variables);
    expect(bare).toEqual([]);
  });

  it("has no member that hides another in the SDK of a language", () => {
    const hidden: string[] = [];
    const check = (type: string, members: string[], reserved: readonly string[]): void => {
      const forms = members.map((member) => member.toLowerCase());
      if (new Set(forms).size < forms.length) hidden.push(`${type}: two members of one name`);
      // A class of .NET has no member of its own name.
      const named = [
        ...reserved,
        type
          .split(":")
          .at(-1)
          ?.replace(/^./, (letter) => letter.toLowerCase()),
      ];
      hidden.push(...members.filter((member) => named.includes(member)).map((member) => `${type}.${member}`));
    };
    const read = typesOfOutputs(schema);
    for (const [token, type] of Object.entries(schema.types)) {
      // What a program reads is a dictionary in Python.
      if ("properties" in type)
        check(token, Object.keys(type.properties), read.has(token) ? METHODS_OF_DICTIONARIES : []);
    }
    for (const [token, { inputProperties, properties }] of Object.entries(schema.resources)) {
      check(token, Object.keys(inputProperties), OF_EVERY_RESOURCE);
      check(token, Object.keys(properties), OF_EVERY_RESOURCE);
    }
    for (const [token, { inputs, outputs }] of Object.entries(schema.functions)) {
      check(token, Object.keys(inputs.properties), []);
      check(token, Object.keys(outputs.properties), []);
    }
    // A map of maps would hide nothing, but what YAML programs take out of one has no type there: they are refused.
    expect(hidden).toEqual(["keyvault:index:TextsByKind.keys"]);
  });

  it("has every function that the plugin can be asked for, by its name", async () => {
    for (const name of Object.keys(functionSchemas)) {
      const { message } = await callFunction(`keyvault:index:${name}`, { name: 7 }).then(
        () => new Error("it was not refused"),
        (error: Error) => error,
      );
      expect(message, name).not.toContain("has no function");
    }
    await expect(callFunction("keyvault:index:planted", {})).rejects.toMatchObject({ code: "KV_INVALID_INPUT" });
  });

  it("has every setting that the provider takes, and no other", async () => {
    const values: Record<string, string> = { apiVersion: "7.4", credential: "token", credentials: "{}" };
    for (const name of Object.keys(schema.config.variables)) {
      expect(await configProblems({ [name]: values[name] ?? "true" }), name).toEqual([]);
    }
    const [problem] = await configProblems({ vaultUri: "https://contoso.vault.azure.net" });
    expect(problem).toContain("keyvault:vaultUri is no setting; did you mean keyvault:vaultUrl?");
    const known = /Known are (.*)$/.exec(problem ?? "")?.[1]?.split(", ");
    expect(known?.sort()).toEqual(Object.keys(schema.config.variables).sort());
  });
});

const METHODS_OF_DICTIONARIES = "clear copy fromkeys get items keys pop popitem setdefault update values".split(" ");
/** Of the base classes: id and urn of all, the others of Python, Go and .NET. */
const OF_EVERY_RESOURCE = "id urn get translateOutputProperty translateInputProperty elementType".split(" ");

/** The named types that outputs have, however deep. */
function typesOfOutputs({ types, resources: ofResources, functions }: ReturnType<typeof packageSchema>): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, token = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/types\/([^"]+)"/g)) {
      if (found.has(token)) continue;
      found.add(token);
      visit(types[token]);
    }
  };
  for (const { properties } of Object.values(ofResources)) visit(properties);
  for (const { outputs } of Object.values(functions)) visit(outputs);
  return found;
}

function mergedMembers(places: readonly [file: string, type: string][]): Map<string, string[]> {
  const merged = new Map<string, string[]>();
  for (const [file, type] of places) {
    for (const [name, texts] of documentedMembers(file).get(type) ?? []) {
      merged.set(name, [...(merged.get(name) ?? []), ...texts]);
    }
  }
  return merged;
}
