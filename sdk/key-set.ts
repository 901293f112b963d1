import * as pulumi from "@pulumi/pulumi";
import { recordedPublicJwk, recordedThumbprint } from "../provider/key/key-outputs.js";
import { keyInputsOf } from "../provider/key-set/key-set-inputs.js";
import { keyOutputsOf } from "../provider/key-set/key-set-outputs.js";
import { type KeyRecord, type KeyRecords, unpackRecords } from "../provider/key-set/packed-records.js";
import { publicKeyOpenSsh, publicKeyPem } from "../provider/material/public-key.js";
import { carriedMaps } from "./carried-maps.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { entriesInputs } from "./entries-inputs.js";
import { ownerInputs } from "./identity-inputs.js";
import {
  importInputs,
  type KeyGenerate,
  type KeySettings,
  type KeySource,
  type Passphrase,
  type Wrapped,
} from "./key.js";
import { tellIfLeftOut } from "./left-out-objects.js";
import type { Listed, ObjectArgs, Without } from "./object-args.js";
import { refusal } from "./refusal.js";
import { resourceOptions, timeoutInputs } from "./resource-options.js";
import { settleTransformations } from "./transformed-resource.js";
import { unencryptedSettings } from "./unencrypted-settings.js";

/** Private key material of many keys. All of it is read inside the provider, and never passes through the engine. */
export type KeySetImport =
  | (Wrapped & {
      /**
       * A folder with a file for each key, in any form that `import: { file }` of a Key takes. The name of a key is that of
       * its file without the ending. Relative to the project.
       */
      folder: string;
      /** Which files, such as `*.pem`. Default: all whose ending is that of key material. */
      match?: string;
      /** Of all the files that have one. */
      passphrase?: Passphrase;
    } & Without<"jwks">)
  | (Wrapped & {
      /** A file with a JWK set (RFC 7517), `{ "keys": [...] }`. The name of a key is its `kid`. */
      jwks: string;
    } & Without<"folder" | "match" | "passphrase">);

/** What may be said for all keys, and otherwise for one. */
type EntrySettings = Omit<KeySettings, "vaultUrl" | "name" | "credential" | "timeouts">;

/** One key of a set: a source of its own where the set has none for it, and what differs from the set's settings. */
export type KeySetEntry = EntrySettings & (KeySource | Without<"import" | "generate" | "restore" | "adopt">);

interface SetSettings extends EntrySettings, Pick<ObjectArgs, "credential" | "timeouts"> {
  /**
   * URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another set there, and then
   * does `onDelete` to the keys of this one. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /** Let the vault make every key that has no source of its own. */
  generate?: pulumi.Input<KeyGenerate>;
  /** Take over keys that exist: those without a source as they are, imported ones where they have the material. */
  adopt?: Listed<true, boolean>;
  /**
   * What happens to a key that leaves the set while the set stays: as `onDelete`, which says what happens to all of
   * them when the set itself goes. Default `retain`: a file that is missing deletes no key. A key that another resource of
   * the program declares stays, unless that resource waits for the set: leave `retain` while keys move to such a one.
   */
  removed?: pulumi.Input<"retain" | "disable" | "delete" | "purge">;
  /** Keep the public keys in state, for `publicKeyPem` and `publicKeyOpenSsh`. Default false: some 400 bytes a key of RSA 2048. */
  publicKeys?: pulumi.Input<boolean>;
}

/** By name, 1 to 127 letters, digits and hyphens; the vault tells no case. */
export type Entries = pulumi.Input<Record<string, pulumi.Input<KeySetEntry>>>;

/** At least one of `import` and `keys`. */
export type KeySetArgs = SetSettings &
  (
    | {
        /** Material of many keys. A changed file makes a new version of its key. Needs keys/import. */
        import: pulumi.Input<KeySetImport>;
        /** Keys with a source of their own, and what differs for keys of `import`. */
        keys?: Entries;
      }
    | { keys: Entries; import?: undefined }
  );

/** A key of a set, for other resources and stack outputs. Of a name that the set does not have, each Output fails. */
export interface KeyOfSet {
  /** The versionless URL. */
  readonly id: pulumi.Output<string>;
  /** The versioned URL. */
  readonly versionId: pulumi.Output<string>;
  readonly vaultUrl: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  /** The current version, 32 hex digits. */
  readonly version: pulumi.Output<string>;
  /** `RSA`, `EC`, `oct`, or one of them with `-HSM`. */
  readonly keyType: pulumi.Output<string>;
  /** RFC 7638 SHA-256 thumbprint of the public key; undefined for symmetric keys. */
  readonly thumbprint: pulumi.Output<string | undefined>;
  readonly createdOn: pulumi.Output<string | undefined>;
  readonly updatedOn: pulumi.Output<string | undefined>;
  /** SubjectPublicKeyInfo in PEM, where the set has `publicKeys: true`. */
  readonly publicKeyPem: pulumi.Output<string | undefined>;
  /** One line for `authorized_keys`, where the set has `publicKeys: true`. */
  readonly publicKeyOpenSsh: pulumi.Output<string | undefined>;
}

/**
 * A fleet of keys in one resource: imported from a folder or a JWK set, generated, restored or adopted.
 *
 * Each key has the whole life of a Key, exactly once and with drift by property, and costs a line of state where a Key
 * costs a resource: the engine writes all of state once for each resource. One that fails does not keep the others; the
 * next `up` goes on with it.
 *
 * @example
 * ```ts
 * const partners = new keyvault.KeySet("partners", {
 *   import: { folder: "partner-keys", passphrase: { env: "PARTNERS_PASS" } },
 *   tags: { team: "orders" },
 *   keys: { acme: { expiresOn: "2027-06-30T00:00:00Z" } },
 * });
 * export const acme = partners.key("acme").versionId;
 * ```
 */
export class KeySet extends pulumi.CustomResource {
  static {
    settleTransformations(KeySet, "keySet");
  }

  /** By which policy packs know it: `validateResourceOfType(KeySet, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.keySet;

  /** Of all the keys. */
  declare readonly vaultUrl: pulumi.Output<string>;

  constructor(name: string, args: KeySetArgs, opts?: pulumi.CustomResourceOptions) {
    const type = RESOURCE_TYPES.keySet;
    const options = resourceOptions("keySet", name, opts);
    const { import: material, keys, timeouts, ...rest }: Partial<KeySetArgs> = args ?? {};
    const owner = ownerInputs(type, name, opts?.parent);
    super(
      type,
      name,
      carriedMaps(`KeySet "${name}"`, {
        ...OUTPUTS,
        ...unencryptedSettings(name, rest),
        ...owner,
        ...timeoutInputs("keySet", name, timeouts, opts),
        ...(material === undefined || material === null ? {} : { import: importInputs<KeySetImport>(material) }),
        // What holds a secret would make one of all that is recorded under its name.
        ...(keys === undefined || keys === null ? {} : { entries: entriesInputs(name, keys) }),
        __provider: providerText("keySet"),
      }),
      options,
    );
    tellIfLeftOut("key", this, { vaultUrl: rest.vaultUrl, entries: keys ?? {}, recorded: this.names, ...owner });
  }

  /** One key of the set. */
  key(name: pulumi.Input<string>): KeyOfSet {
    const facts = pulumi.all([packedIn(this), this.vaultUrl, name]).apply(([packed, vaultUrl, named]) => {
      const records = recordsIn(packed);
      if (records === undefined) return { name: named, vaultUrl };
      const found = [...records.keys()].find((each) => each.toLowerCase() === String(named).toLowerCase());
      const record = found === undefined ? undefined : records.get(found);
      if (found === undefined || record === undefined) throw noSuchKey(named);
      return { ...keyOutputsOf({ vaultUrl }, found, record), name: found, vaultUrl } as KeyFactsOfSet;
    }) as pulumi.Output<KeyFactsOfSet>;
    return new RecordedKey(facts);
  }

  /** The names of all keys, sorted. */
  get names(): pulumi.Output<string[]> {
    return packedIn(this).apply((packed) => [...(recordsIn(packed)?.keys() ?? [])].sort());
  }

  /** The versioned URLs by name. */
  get versionIds(): pulumi.Output<Record<string, string>> {
    return pulumi
      .all([packedIn(this), this.vaultUrl])
      .apply(([packed, vaultUrl]) =>
        mapped(recordsIn(packed), ({ facts }, name) => `${vaultUrl}/keys/${name}/${String(facts.version)}`),
      );
  }

  /** RFC 7638 SHA-256 thumbprints by name, of all keys that have a public half. */
  get thumbprints(): pulumi.Output<Record<string, string>> {
    return packedIn(this).apply((packed) => mapped(recordsIn(packed), ({ facts }) => recordedThumbprint(facts)));
  }
}

/** Every output has to be named, or the SDK makes none of it. */
const OUTPUTS = { vaultUrl: undefined, records: undefined };

interface KeyFactsOfSet {
  name: string;
  vaultUrl: string;
  version?: string;
  keyType?: string;
  createdOn?: string;
  updatedOn?: string;
}

class RecordedKey implements KeyOfSet {
  readonly #facts: pulumi.Output<KeyFactsOfSet>;

  constructor(facts: pulumi.Output<KeyFactsOfSet>) {
    this.#facts = facts;
  }

  get id() {
    return this.#facts.apply(({ vaultUrl, name }) => `${vaultUrl}/keys/${name}`);
  }

  get versionId() {
    // A unit test's mocks make no versions.
    return this.#facts.apply(
      ({ vaultUrl, name, version }) => `${vaultUrl}/keys/${name}${version ? `/${version}` : ""}`,
    );
  }

  get vaultUrl() {
    return this.#facts.apply(({ vaultUrl }) => vaultUrl);
  }

  get name() {
    return this.#facts.apply(({ name }) => name);
  }

  get version() {
    return this.#facts.apply(({ version }) => version) as pulumi.Output<string>;
  }

  get keyType() {
    return this.#facts.apply(({ keyType }) => keyType) as pulumi.Output<string>;
  }

  get thumbprint() {
    return this.#facts.apply((facts) => recordedThumbprint(facts));
  }

  get createdOn() {
    return this.#facts.apply(({ createdOn }) => createdOn);
  }

  get updatedOn() {
    return this.#facts.apply(({ updatedOn }) => updatedOn);
  }

  get publicKeyPem() {
    return this.#facts.apply((facts) => publicKeyPem(recordedPublicJwk(facts)));
  }

  get publicKeyOpenSsh() {
    return this.#facts.apply((facts) => publicKeyOpenSsh(recordedPublicJwk(facts)));
  }
}

/** The last text and what it holds: each output of a set asks for it. */
let unpacked: { text: unknown; records: KeyRecords } | undefined;

/** What state records of the keys of a set. Undefined in a unit test, whose mocks record nothing. */
function recordsIn(text: unknown): KeyRecords | undefined {
  if (text === undefined || text === null) return undefined;
  if (unpacked?.text !== text) unpacked = { text, records: unpackRecords(text) };
  return unpacked.records;
}

/** As state has them. An Output of the records themselves would be looked through for Outputs, key by key. */
function packedIn(set: object): pulumi.Output<unknown> {
  return (set as { records: pulumi.Output<unknown> }).records;
}

/** What tells a change of each key of a set, as for a VaultBackup of Keys. */
export function changesOfSet(set: object): pulumi.Output<object[]> {
  return ofEach(set, ({ entry, facts: { version, updatedOn } }, name, ofAll) => {
    const { rotationPolicy } = keyInputsOf({ rotationPolicy: ofAll }, name, entry);
    return { version, updatedOn, ...(rotationPolicy === undefined ? {} : { rotationPolicy }) };
  });
}

/** Where each key of a set is. */
export function addressesInSet(set: object): pulumi.Output<object[]> {
  return ofEach(set, () => ({}));
}

function ofEach(
  set: object,
  more: (record: KeyRecord, name: string, rotationPolicy: unknown) => object,
): pulumi.Output<object[]> {
  // A property that only the arguments make.
  const { vaultUrl, rotationPolicy } = set as KeySet & { rotationPolicy?: pulumi.Output<unknown> };
  return pulumi
    .all([packedIn(set), vaultUrl, rotationPolicy])
    .apply(([packed, url, ofAll]) =>
      [...(recordsIn(packed) ?? [])].map(([name, record]) => ({ vaultUrl: url, name, ...more(record, name, ofAll) })),
    );
}

function mapped<R>(
  records: KeyRecords | undefined,
  map: (record: { facts: Record<string, unknown> }, name: string) => R | undefined,
): Record<string, R> {
  const entries = [...(records ?? [])].map(([name, record]) => [name, map(record, name)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<string, R>;
}

function noSuchKey(name: string): Error {
  return refusal(
    "a KeySet",
    `it has no key "${name}"`,
    "see its names, and that the file or entry of the key is there",
  );
}
