import { describe, expect, it } from "vitest";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { currentOrDisabled } from "../../provider/object/current-version.js";

const disabledError = () => new KeyVaultError("KV_FORBIDDEN", "disabled", { innerCode: "SecretDisabled" });
const at = (second: number) => new Date(Date.UTC(2027, 0, 1, 0, 0, second));

/** A read and a list each, in turn; the last of each goes on. */
function look(reads: (string | Error)[], lists: { version: string; enabled: boolean; createdOn: Date }[][]) {
  const asked: string[] = [];
  const next = <T>(items: T[]): T => (items.length > 1 ? (items.shift() as T) : (items[0] as T));
  const found = currentOrDisabled({
    read: async () => {
      asked.push("read");
      const answer = next(reads);
      if (answer instanceof Error) throw answer;
      return { version: answer };
    },
    async *versions() {
      asked.push("list");
      yield* next(lists);
    },
    asDisabled: ({ version }) => ({ version }),
  });
  return { found, asked };
}

describe("the current version of an object that cannot be read", () => {
  it("is the newest disabled one of its list", async () => {
    const { found, asked } = look(
      [disabledError()],
      [
        [
          { version: "new", enabled: false, createdOn: at(2) },
          { version: "old", enabled: true, createdOn: at(1) },
        ],
      ],
    );
    await expect(found).resolves.toEqual({ version: "new" });
    expect(asked).toEqual(["read", "list"]);
  });

  it("is read once more where somebody has set an enabled one between the read and the list", async () => {
    const { found, asked } = look(
      [disabledError(), "set meanwhile"],
      [
        [
          { version: "was current", enabled: false, createdOn: at(1) },
          { version: "set meanwhile", enabled: true, createdOn: at(2) },
        ],
      ],
    );
    await expect(found).resolves.toEqual({ version: "set meanwhile" });
    expect(asked).toEqual(["read", "list", "read"]);
  });

  it("is the disabled one where an enabled one of the same second is the older of the two", async () => {
    const tied = [
      { version: "older", enabled: true, createdOn: at(1) },
      { version: "newer", enabled: false, createdOn: at(1) },
    ];
    const { found } = look([disabledError()], [tied]);
    await expect(found).resolves.toEqual({ version: "newer" });
  });

  it("is never guessed where the caller is forbidden to read", async () => {
    const { found, asked } = look([new KeyVaultError("KV_FORBIDDEN", "no", { innerCode: "AccessDenied" })], [[]]);
    await expect(found).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
    expect(asked).toEqual(["read"]);
  });
});
