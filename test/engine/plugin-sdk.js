// What a program imports that uses the plugin, in the place of a generated SDK: classes made of the package's schema,
// which lies beside the program. It takes what the TypeScript classes take, so that one program can go through both doors.
const pulumi = require("@pulumi/pulumi");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const schema = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8"));

for (const [type, resource] of Object.entries(schema.resources)) {
  const className = type.split(":").at(-1);
  const outputs = Object.fromEntries(Object.keys(resource.properties).map((name) => [name, undefined]));
  const secrets = Object.keys(resource.inputProperties).filter((name) => resource.inputProperties[name].secret);
  exports[className] = {
    [className]: class extends pulumi.CustomResource {
      constructor(name, args, { asDynamic, ...opts } = {}) {
        const inputs = plainInputs(className, args ?? {});
        for (const secret of secrets) if (inputs[secret] !== undefined) inputs[secret] = pulumi.secret(inputs[secret]);
        const aliases = [...(opts.aliases ?? []), ...resource.aliases];
        super(type, name, { ...outputs, ...inputs }, { ...opts, aliases });
      }
      static get(name, id, opts) {
        return new exports[className](name, {}, { ...opts, id });
      }
    },
  }[className];
}

/** What the TypeScript classes derive, a program of the plugin derives itself. */
exports.KeySet.prototype.key = function (name) {
  const ofName = (texts) => texts.apply((all) => all[name]);
  return { versionId: ofName(this.versionIds), thumbprint: ofName(this.thumbprints) };
};
for (const { prototype } of [exports.KeyBackup, exports.SecretBackup]) {
  Object.defineProperty(prototype, "restorable", {
    get() {
      return { blob: this.blob, sourceName: this.name, version: this.version };
    },
  });
}

for (const token of Object.keys(schema.functions)) {
  const name = token.split(":").at(-1);
  exports[name] = (args, opts) => pulumi.runtime.invoke(token, args ?? {}, opts);
  exports[`${name}Output`] = (args, opts) => pulumi.runtime.invokeOutput(token, args ?? {}, opts);
}

exports.Provider = class extends pulumi.ProviderResource {
  constructor(name, args, opts) {
    super("keyvault", name, args, opts);
  }
};

const isResource = (value) => pulumi.Resource.isInstance(value);
const changesOf = ({ vaultUrl, name, version, updatedOn, rotationPolicy }, isKey) => ({
  vaultUrl,
  name,
  version,
  updatedOn,
  ...(isKey ? { rotationPolicy } : {}),
});

/** The plain members of the schema, from the unions of the TypeScript types. */
function plainInputs(className, args) {
  const { key, secret, restore, value, expect, ...given } = args;
  const rest = className.endsWith("Inventory") ? included(given) : given;
  const source = key ?? secret;
  return {
    ...rest,
    ...(isResource(rest.import?.wrapWith) ? { import: { ...rest.import, wrapWith: rest.import.wrapWith.id } } : {}),
    ...(isResource(source) ? changesOf(source, key !== undefined) : {}),
    ...(rest.import?.passphrase !== undefined && isPlace(rest.import.passphrase)
      ? { import: importOf(rest.import) }
      : {}),
    ...(restore === undefined ? {} : { restore: restoreOf(restore) }),
    ...(value === undefined ? {} : isPlace(value) ? { valueFrom: value } : { value }),
    ...(expect === undefined
      ? {}
      : {
          expect: expect.filter((item) => !isResource(item)),
          expectResources: together(expect.filter(isResource), ({ vaultUrl, name }) => ({ vaultUrl, name })),
        }),
    ...(className === "VaultBackup" ? selections(rest) : {}),
  };
}

function restoreOf(restore) {
  if (!isResource(restore)) return restore;
  return { blob: restore.blob, sourceName: restore.name, version: restore.version };
}

function isPlace(value) {
  return typeof value === "object" && !pulumi.Output.isInstance(value) && !(value instanceof Promise);
}

function selections({ keys, secrets }) {
  const names = (given) => (given === undefined ? [] : [given].flat().filter((item) => !isResource(item)));
  const resources = (given) => [given].flat().filter(isResource);
  return {
    keys: keys === undefined ? undefined : names(keys),
    secrets: secrets === undefined ? undefined : names(secrets),
    keyResources: together(resources(keys), (key) => changesOf(key, true)),
    secretResources: together(resources(secrets), (item) => changesOf(item, false)),
  };
}

/** What is said of each resource, and of each key of a set. */
function together(resources, say) {
  if (!resources.some((resource) => resource instanceof exports.KeySet)) return resources.map(say);
  const said = resources.map((resource) =>
    resource instanceof exports.KeySet ? keysOfSet(resource) : [say(resource)],
  );
  return pulumi.all(said).apply((lists) => lists.flat());
}

function keysOfSet({ vaultUrl, versionIds }) {
  return pulumi
    .all([vaultUrl, versionIds])
    .apply(([url, ids]) =>
      Object.entries(ids).map(([name, id]) => ({ vaultUrl: url, name, version: id.split("/").at(-1) })),
    );
}

function included({ keys, secrets, ...rest }) {
  return {
    ...rest,
    ...(keys === undefined ? {} : { includeKeys: keys }),
    ...(secrets === undefined ? {} : { includeSecrets: secrets }),
  };
}

function importOf({ passphrase, ...rest }) {
  return { ...rest, passphraseFrom: passphrase };
}
