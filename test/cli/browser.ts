import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as driver } from "playwright-core";

/** Chromium without a window, unpacked from its npm package: nothing has to be installed on the machine. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? (await chromium.executablePath());
  // In one process the first page that closes would end them all.
  const args = chromium.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
  const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
  return driver.launch({
    executablePath,
    args: [...args, ...quiet, `--crash-dumps-dir=${join(tmpdir(), "chromium-crashes")}`],
    headless: true,
  });
}
