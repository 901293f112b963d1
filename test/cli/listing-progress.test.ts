import { expect, test } from "vitest";
import { listingProgress } from "../../cli/inventory/listing-progress.js";

test("a long list tells every five seconds how far it is, and a short one nothing", () => {
  let time = 0;
  const said: string[] = [];
  const listed = listingProgress("https://v.vault.azure.net", { now: () => time, say: (line) => said.push(line) });
  for (let item = 0; item < 3_000; item++) {
    listed();
    time += 4;
  }
  expect(said).toEqual([
    "https://v.vault.azure.net: 1,251 listed so far (5 s)\n",
    "https://v.vault.azure.net: 2,501 listed so far (10 s)\n",
  ]);
});
