import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { formatHtml } from "../../cli/report/format-html.js";
import type { ReportDocument, ReportedObject } from "../../cli/report/report-document.js";
import { startBrowser } from "./browser.js";

const VAULTS = ["https://contoso.vault.azure.net", "https://fabrikam.vault.azure.net"];
const HOSTILE = '<img src=x onerror="document.title=1">"\u202e\u0007';

const object = (name: string, more: Partial<ReportedObject> = {}): ReportedObject => ({
  vaultUrl: VAULTS[0] ?? "",
  kind: "key",
  name,
  type: "EC P-256",
  enabled: true,
  createdOn: "2026-01-01T00:00:00Z",
  ageInDays: 330,
  managedByCertificate: false,
  rotates: true,
  concerns: [],
  ...more,
});

const report: ReportDocument = {
  format: "pulumi-keyvault/report/1",
  takenOn: "2026-11-27T10:00:00Z",
  complete: false,
  soonInDays: 30,
  vaults: VAULTS,
  stacks: ["prod"],
  objects: [
    object("alpha", {
      ageInDays: 9,
      expiresOn: "2027-03-05T00:00:00Z",
      expiresInDays: 97,
      owner: "shop/prod",
      inStack: true,
    }),
    object("beta", {
      ageInDays: 100,
      expiresOn: "2026-11-20T00:00:00Z",
      expiresInDays: -7,
      concerns: ["expired", "drifted"],
      drift: [{ property: "tags.team", consequence: "sets it back" }],
    }),
    object("gamma", {
      vaultUrl: VAULTS[1] ?? "",
      kind: "secret",
      type: HOSTILE,
      ageInDays: 20,
      concerns: ["never expires", "unmanaged"],
      inStack: false,
    }),
    object("delta", {
      ageInDays: 3,
      expiresOn: "2026-12-12T00:00:00Z",
      expiresInDays: 14,
      concerns: ["expires soon", "stale backup"],
      backup: { resource: "prod: VaultBackup all", takenOn: "2026-10-01T00:00:00Z", current: false },
    }),
  ],
  deleted: [
    {
      vaultUrl: VAULTS[0] ?? "",
      kind: "key",
      name: "gone",
      deletedOn: "2026-11-01T00:00:00Z",
      recoverableUntil: "2027-01-30T00:00:00Z",
      daysLeft: 64,
    },
  ],
  unread: [{ what: `${VAULTS[1]}/keys/hidden`, code: "KV_FORBIDDEN", reason: "no keys/get" }],
};

describe("the page of a report, in a browser", () => {
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await startBrowser();
  }, 120_000);
  afterAll(() => browser?.close());
  afterEach(() => page?.context().close());

  const open = async (
    options: { javaScriptEnabled?: boolean; colorScheme?: "light" | "dark" } = {},
    shown: ReportDocument = report,
  ) => {
    asked.length = 0;
    complaints.length = 0;
    const context = await browser.newContext({ ...options, viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.setContent(formatHtml(shown));
    const shots = process.env.REPORT_SCREENSHOTS;
    if (shots)
      await page.screenshot({
        path: `${shots}/${expect.getState().currentTestName?.replace(/\W+/g, "-").slice(-50)}.png`,
        fullPage: true,
      });
  };
  const names = () => page.locator("#objects tbody tr:visible th").allInnerTexts();

  it("asks nobody for anything, and breaks no rule of its own", async () => {
    await open();
    expect(asked).toEqual([]);
    expect(complaints).toEqual([]);
    expect(await page.title()).toBe("Key Vault report, 2026-11-27");
  });

  it("shows what a vault says as text", async () => {
    await open();
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("#objects").textContent()).toContain(
      '<img src=x onerror="document.title=1">"\\u202e\\u0007',
    );
  });

  it("is sorted by each column, by mouse and keyboard, and says so", async () => {
    await open();
    await page.getByRole("button", { name: "Age in days" }).click();
    expect(await names()).toEqual(["delta", "alpha", "gamma", "beta"]);
    await page.getByRole("button", { name: "Age in days" }).press("Enter");
    expect(await names()).toEqual(["beta", "gamma", "alpha", "delta"]);
    expect(await page.locator('th[aria-sort="descending"]').textContent()).toContain("Age in days");
    await page.getByRole("button", { name: "Expires" }).click();
    expect(await names()).toEqual(["beta", "delta", "alpha", "gamma"]);
  });

  it("asks each row once when it is sorted, so that thousands take no time", async () => {
    const objects = Array.from({ length: 500 }, (_each, index) =>
      object(`key-${index}`, { ageInDays: (index * 7) % 501 }),
    );
    await open({}, { ...report, objects });
    const asked = await page.evaluate(`(() => {
      const { get } = Object.getOwnPropertyDescriptor(HTMLTableRowElement.prototype, "cells");
      let asked = 0;
      Object.defineProperty(HTMLTableRowElement.prototype, "cells", { get() { asked += 1; return get.call(this); } });
      document.querySelector("#objects th.number button").click();
      return asked;
    })()`);
    expect(asked).toBeLessThanOrEqual(2 * objects.length);
  });

  it("is narrowed by text, kind, vault and what is to look at, and says how many are left", async () => {
    await open();
    await page.getByLabel("Search").fill("ALPH");
    expect(await names()).toEqual(["alpha"]);
    expect(await page.getByRole("status").textContent()).toBe("1 of 4 shown");
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Kind").selectOption("secret");
    expect(await names()).toEqual(["gamma"]);
    await page.getByLabel("Kind").selectOption("");
    await page.getByLabel("Vault").selectOption(VAULTS[0] ?? "");
    expect(await names()).toEqual(["alpha", "beta", "delta"]);
    await page.getByLabel("To look at").selectOption("stale backup");
    expect(await names()).toEqual(["delta"]);
  });

  it("tells all without scripts, and shows no control that would do nothing", async () => {
    await open({ javaScriptEnabled: false });
    expect(await names()).toEqual(["alpha", "beta", "gamma", "delta"]);
    expect(await page.locator("form").isVisible()).toBe(false);
    expect(await page.getByRole("img", { name: /past: 1/ }).count()).toBe(1);
  });

  it.each(["light", "dark"] as const)(
    "has no fault that a checker of accessibility finds, in %s",
    async (colorScheme) => {
      await open({ colorScheme });
      // The page's own policy lets no other script in: the checker comes by the driver.
      const violations = await page.evaluate(
        `${axe.source}; axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 120)).join(" ")))`,
      );
      expect(violations).toEqual([]);
    },
  );

  it("fits on paper without its controls", async () => {
    await open();
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("form").isVisible()).toBe(false);
    expect((await page.pdf()).subarray(0, 5).toString()).toBe("%PDF-");
  });

  it("scrolls its tables and not itself where the screen is narrow", async () => {
    await open();
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(400);
  });
});
