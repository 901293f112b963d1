import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { outliveStrayErrors } from "../../plugin/stray-errors.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";

const PEM = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----";

function outlived(...thrown: [event: string, error: unknown][]): string[] {
  const host = new EventEmitter();
  const told: string[] = [];
  outliveStrayErrors(host, (line) => told.push(line));
  for (const [event, error] of thrown) host.emit(event, error);
  return told;
}

describe("an error that nobody caught in the plugin's process", () => {
  it.each(["uncaughtException", "unhandledRejection"])("is told, and ends no operation: %s", (event) => {
    const told = outlived([event, new KeyVaultError("KV_TRANSPORT", "the connection died")]);
    expect(told).toEqual([
      "pulumi-resource-keyvault goes on after an error that nobody caught: KV_TRANSPORT: the connection died\n",
    ]);
  });

  it("is told once, though it is both thrown and rejected with", () => {
    const error = new Error("stray");
    expect(outlived(["uncaughtException", error], ["unhandledRejection", error])).toHaveLength(1);
  });

  it("is told without a secret, its stack or what it was caused by", () => {
    const [told = ""] = outlived(["unhandledRejection", new Error(`bad ${PEM}`, { cause: new Error(PEM) })]);
    expect(told).toMatch(/: bad \[redacted\]\n$/);
    expect(outlived(["unhandledRejection", PEM]).join()).toMatch(/failed for an unknown reason\n$/);
  });

  it("leaves the executable up", async () => {
    const main = join(__dirname, "../../dist/plugin/main.js");
    const program = `
      const { write } = process.stdout;
      process.stdout.write = (...port) => {
        setImmediate(() => Promise.reject(new Error("stray")));
        return write.apply(process.stdout, port);
      };
      require(${JSON.stringify(main)});`;
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "ignore", "pipe"] });
    try {
      const [told] = await once(child.stderr, "data");
      expect(String(told)).toBe("pulumi-resource-keyvault goes on after an error that nobody caught: stray\n");
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill();
    }
  });
});
