/** A mistake that is planted in the provider, to see that the simulation finds it. */
export interface Mutation {
  name: string;
  file: string;
  find: string;
  replace: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a write is sent again after an uncertain answer",
    file: "provider/object/write-once.ts",
    find: "return await findWritten(what, deadline, look, error);",
    replace: "return (await look()) ?? (await send());",
  },
  {
    name: "an update makes its version without a look",
    file: "provider/object/make-version.ts",
    find: "const current = await object.current();\n    if (current) mark.see(current.tags);",
    replace: "const current = undefined as any;",
  },
  {
    name: "a foreign object is taken over by its material or value alone",
    file: "provider/object/create-object.ts",
    find: 'if (standing === "foreign") throw',
    replace: 'if (standing === "foreign" && (await kind.matches(inputs, bundle)) !== true) throw',
  },
  {
    name: "an object is deleted whoever owns it",
    file: "provider/object/delete-object.ts",
    find: "if (isAnothers(object, current?.tags, recorded)) return;",
    replace: "",
  },
  {
    name: "an object is deleted although another resource declares it",
    file: "provider/object/delete-object.ts",
    find: "declarationOf(noun, recorded)",
    replace: "(undefined as ReturnType<typeof declarationOf>)",
  },
  {
    name: "a deletion is recorded before it is written",
    file: "provider/object/delete-object.ts",
    find: "deleted = await object.delete(lookAgain);",
    replace: "object.delete(lookAgain).catch(() => {});",
  },
  {
    name: "a version that an interrupted run has made is made again",
    file: "provider/object/make-version.ts",
    find: "if (current && current.version !== known) {",
    replace: "if (false) {",
  },
  {
    name: "another stack's deleted object is recovered",
    file: "provider/object/create-object.ts",
    find: "if (!inputs.adopt) refuseOthersDeleted(creation, deleted.tags);",
    replace: "",
  },
  {
    name: "a secret's value is told in a failure",
    file: "provider/secret/secret-kind.ts",
    find: "return await client.setSecret(",
    replace:
      'if (value.endsWith("7")) throw new KeyVaultError("KV_INVALID_INPUT", value);\n  return await client.setSecret(',
  },
  {
    name: "a recovery is recorded only once it was seen",
    file: "provider/object/recover-object.ts",
    find: "onAgreed(await object.recover(lookAgain));",
    replace: "await object.recover(lookAgain);",
  },
  {
    name: "a set forgets a key whose step has failed",
    file: "provider/key-set/update-key-set.ts",
    find: "if (left !== undefined) records.set(nameOf(error, name), left);",
    replace: "",
  },
  {
    name: "a set takes a key that could not be read for gone",
    file: "provider/key-set/read-key-set.ts",
    find: "records.set(name, { ...record, unread: reason });",
    replace: "",
  },
];
