import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  describeOwner,
  formatOwner,
  hasOwnerTag,
  isOfSameResource,
  isTakenOver,
  OWNER_TAG,
  type Owner,
  ownerOf,
  ownerToken,
  parseOwner,
  sourceDigest,
  takenOverToken,
  withOwnerTag,
  withoutOwnerTag,
} from "../../provider/object/owner-tag.js";

const urn = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/keyvault:Key::orders";
const owner: Owner = { stack: "shop/prod", token: ownerToken(urn) };
const name = fc.stringMatching(/^[0-9A-Za-z._-]{1,100}$/);
const owners: fc.Arbitrary<Owner> = fc
  .record({
    project: name,
    stack: name,
    urn: fc.string(),
    isTaken: fc.boolean(),
    source: fc.option(fc.string(), { nil: undefined }),
  })
  .map(({ project, stack, urn, isTaken, source }) => ({
    stack: `${project}/${stack}`,
    token: isTaken ? takenOverToken(ownerToken(urn)) : ownerToken(urn),
    ...(source === undefined ? {} : { source: sourceDigest(source) }),
  }));

describe("an owner tag", () => {
  it("names project, stack and a token, and of a generated key what it was generated from", () => {
    expect(formatOwner(owner)).toMatch(/^shop\/prod [\w-]{16}$/);
    expect(formatOwner({ ...owner, source: sourceDigest("{}") })).toMatch(/^shop\/prod [\w-]{16}\.[\w-]{8}$/);
  });

  it("is read back as it was written, whatever the names of project and stack", () => {
    fc.assert(
      fc.property(owners, (each) => {
        expect(parseOwner(formatOwner(each))).toEqual(each);
      }),
    );
  });

  it("fits into a tag of 256 characters for names of 100", () => {
    fc.assert(
      fc.property(owners, (each) => {
        expect(formatOwner(each).length).toBeLessThanOrEqual(256);
      }),
    );
  });

  it("has the same token in each run, and another for each URN", () => {
    expect(ownerToken(urn)).toBe(ownerToken(urn));
    expect(ownerToken(`${urn}-2`)).not.toBe(ownerToken(urn));
  });

  it("has something random behind the token where it was taken over, each time anew", () => {
    const taken = takenOverToken(owner.token);
    const again = takenOverToken(taken);
    expect([taken, again]).toEqual([1, 2].map(() => expect.stringMatching(new RegExp(`^${owner.token}~[\\w-]{6}$`))));
    expect(again).not.toBe(taken);
    expect([owner.token, taken, undefined].map(isTakenOver)).toEqual([false, true, false]);
    expect(isOfSameResource({ ...owner, token: taken }, { ...owner, token: again })).toBe(true);
    expect(isOfSameResource({ ...owner, token: taken }, { ...owner, stack: "shop/dev" })).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["another tool's word", "external-secrets"],
    ["a stack without a token", "shop/prod"],
    ["a stack without a project", `prod ${owner.token}`],
    ["a token that is cut", `shop/prod ${owner.token.slice(1)}`],
    ["a token and more", `shop/prod ${owner.token}0`],
    ["a random part that is cut", `shop/prod ${owner.token}~abc`],
    ["a source that is cut", `shop/prod ${owner.token}.abc`],
    ["a text with a line after it", `shop/prod ${owner.token}\nshop/dev`],
    ["three parts", `org/shop/prod ${owner.token}`],
  ])("is no owner's where it is %s, and marks the object as somebody's all the same", (_what, text) => {
    const tags = { [OWNER_TAG]: text };
    expect(parseOwner(text)).toBeUndefined();
    expect(ownerOf(tags)).toBeUndefined();
    expect(hasOwnerTag(tags)).toBe(true);
    expect(describeOwner(tags)).toMatch(/^somebody else \(tag pulumi-keyvault: ".*"\)$/);
  });

  it("is told by its stack, and a stranger's by no more of its text than a line holds", () => {
    expect(describeOwner({ [OWNER_TAG]: formatOwner(owner) })).toBe('stack "shop/prod"');
    expect(describeOwner({ [OWNER_TAG]: `${"x".repeat(200)}\n` }).length).toBeLessThan(130);
    expect(describeOwner({ team: "orders" })).toBe("nobody");
    expect(hasOwnerTag(undefined)).toBe(false);
  });

  it("stands beside the program's tags, takes the place of an older one, and is no part of them", () => {
    const tags = withOwnerTag({ team: "orders", [OWNER_TAG]: "older" }, owner);
    expect(tags).toEqual({ team: "orders", [OWNER_TAG]: formatOwner(owner) });
    expect(withoutOwnerTag(tags)).toEqual({ team: "orders" });
    expect(withOwnerTag(tags, undefined)).toEqual({ team: "orders" });
  });
});
