import { describe, expect, it } from "vitest";
import { parsePeriod } from "../../provider/inventory/period.js";
import { ecKey } from "../engine/demo-keys.js";
import { key, secret } from "./providers.js";

const vaultUrl = "https://contoso.vault.azure.net";
const generate = { keyType: "RSA" };
const check = (news: Record<string, unknown>) => key.check({}, { vaultUrl, name: "a", generate, ...news });

const taken = async (news: Record<string, unknown>) => {
  const { inputs, failures } = await check(news);
  expect(failures).toEqual([]);
  return inputs;
};
const refused = async (news: Record<string, unknown>) => {
  const { failures } = await check(news);
  return failures.map(({ reason }) => reason).join("\n");
};

describe("a moment", () => {
  it.each([
    ["in UTC", "2027-06-30T00:00:00Z", "2027-06-30T00:00:00Z"],
    ["with an offset", "2027-06-30T01:30:00+02:00", "2027-06-29T23:30:00Z"],
    ["with an offset without colon", "2027-06-30T01:30-0130", "2027-06-30T03:00:00Z"],
    ["with a fraction of a second, which is left out", "2027-06-30T23:59:59.999Z", "2027-06-30T23:59:59Z"],
    ["in the past, which the service takes", "2001-02-03T04:05:06Z", "2001-02-03T04:05:06Z"],
    ["on a leap day", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["at the beginning of time", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    ["at its end", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
  ])("%s is taken", async (_what, expiresOn, normal) => {
    expect((await taken({ expiresOn })).expiresOn).toBe(normal);
  });

  it.each<[string, unknown, RegExp]>([
    ["that the calendar has not", "2027-02-31T00:00:00Z", /expiresOn: .*no such day in the calendar/],
    ["on a leap day of another year", "2027-02-29T00:00:00Z", /no such day/],
    ["in month 13", "2027-13-01T00:00:00Z", /no such day/],
    ["on day 0", "2027-01-00T00:00:00Z", /no such day/],
    ["at 24 o'clock", "2027-06-30T24:00:00Z", /no such time of day/],
    ["with a leap second", "2027-06-30T23:59:60Z", /no such time of day/],
    ["with an offset of a day", "2027-06-30T00:00:00+24:00", /no such time of day/],
    ["without a zone", "2027-06-30T00:00:00", /has no zone; add Z for UTC/],
    ["that is a day", "2027-06-30", /is a day, which begins at another moment in each zone/],
    ["after the year 9999", "9999-12-31T23:59:59-00:01", /between the years 1970 and 9999/],
    ["in year 10000", "10000-01-01T00:00:00Z", /must be a moment in ISO 8601/],
    ["before 1970", "1969-12-31T23:59:59Z", /between the years 1970 and 9999/],
    ["in words", "tomorrow", /must be a moment in ISO 8601/],
    ["that is a number", 1_900_000_000, /must be a moment .*, and is a number/],
  ])("%s is refused", async (_what, expiresOn, problem) => {
    expect(await refused({ expiresOn })).toMatch(problem);
    const { failures } = await secret.check({}, { vaultUrl, name: "a", value: "v", expiresOn });
    expect(failures.map(({ reason }) => reason).join()).toMatch(problem);
  });

  it("notBefore after expiresOn is refused, of keys and secrets", async () => {
    const dates = { notBefore: "2027-06-30T00:00:01Z", expiresOn: "2027-06-30T00:00:00Z" };
    expect(await refused(dates)).toMatch(/notBefore: must not be after expiresOn/);
    const { failures } = await secret.check({}, { vaultUrl, name: "a", value: "v", ...dates });
    expect(failures).toHaveLength(1);
  });
});

describe("a duration of a rotation policy", () => {
  it.each(["P28D", "P1M", "P1Y", "P1Y6M", "P12M", "P99Y"])("%s is taken", async (expireAfter) => {
    expect(await taken({ rotationPolicy: { expireAfter } })).toMatchObject({ rotationPolicy: { expireAfter } });
  });

  it.each([
    ["P52W", /no weeks and no times\): write P364D/],
    ["P1Y2W", /no weeks/],
    ["P1DT12H", /no times/],
    ["PT720H", /no times/],
    ["P", /must be an ISO 8601 duration/],
    ["", /must be an ISO 8601 duration/],
    ["365d", /must be an ISO 8601 duration/],
    ["P0.5Y", /must be an ISO 8601 duration/],
    ["-P90D", /must be an ISO 8601 duration/],
    [`P${"9".repeat(400)}D`, /must be an ISO 8601 duration/],
    ["P27D", /at least 28 days/],
    ["P0D", /at least 28 days/],
  ])("%s is refused", async (expireAfter, problem) => {
    expect(await refused({ rotationPolicy: { expireAfter } })).toMatch(problem);
  });

  it("twelve months are as long as a year, as the service counts them", async () => {
    await taken({ rotationPolicy: { expireAfter: "P12M", rotateAfter: "P358D" } });
    expect(await refused({ rotationPolicy: { expireAfter: "P12M", rotateAfter: "P359D" } })).toMatch(/at least 7 days/);
  });

  it("weeks stay a period of a KeyInventory, which asks the service nothing about them", () => {
    expect(parsePeriod("P2W")).toBe(parsePeriod("14d"));
  });
});

describe("a key operation", () => {
  const ec = { generate: { keyType: "EC" } };
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["encrypt on EC", { ...ec, keyOps: ["encrypt", "sign"] }, /keyOps: a key of type EC has no encrypt: .* sign/],
    ["wrapKey on EC", { ...ec, keyOps: ["wrapKey", "unwrapKey"] }, /has no wrapKey, unwrapKey/],
    ["import on EC", { ...ec, keyOps: ["import"] }, /has no import/],
    ["encrypt on an imported EC key", { generate: undefined, import: { jwk: ecKey().jwk }, keyOps: ["encrypt"] }, /EC/],
    ["deriveKey on RSA", { keyOps: ["deriveKey"] }, /a key of type RSA has no deriveKey/],
    ["import beside another", { keyOps: ["import", "wrapKey"] }, /import goes with no other operation/],
  ])("%s is refused", async (_what, news, problem) => {
    expect(await refused(news)).toMatch(problem);
  });

  it("of the type of the key is taken", async () => {
    expect((await taken({ keyOps: ["import"] })).keyOps).toEqual(["import"]);
    expect((await taken({ ...ec, keyOps: ["verify"] })).keyOps).toEqual(["verify"]);
  });
});

describe("a timeout", () => {
  it("longer than a timer of the runtime is refused", async () => {
    await taken({ timeouts: { create: "480h" } });
    expect(await refused({ timeouts: { create: "481h", delete: `${"9".repeat(400)}h` } })).toMatch(
      /create must be a duration .* of at most 480h\n.*delete must be/,
    );
  });
});
