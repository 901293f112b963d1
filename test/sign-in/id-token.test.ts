import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { idToken } from "../../provider/sign-in/id-token.js";
import { hurried } from "../provider/engine-run.js";

/** What the pipeline's server does with one request after another; the last one stands for all that follow. */
let answers: ("lost" | number)[] = [];
let asked = 0;
const server = createServer((request, response) => {
  const answer = answers[Math.min(asked++, answers.length - 1)];
  if (answer === "lost") request.socket.destroy();
  else response.writeHead(answer ?? 500).end(JSON.stringify({ value: "id-token" }));
});
beforeEach(async () => {
  asked = 0;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(() => new Promise<void>((done) => server.close(() => done())));

const request = () => {
  const { port } = server.address() as AddressInfo;
  const env = { ARM_OIDC_REQUEST_URL: `http://127.0.0.1:${port}/token`, ARM_OIDC_REQUEST_TOKEN: "CANARY" };
  return idToken({ request: true }, env, hurried());
};

test.each([[503], [429], ["lost" as const]])("a pipeline's token is asked for again after %s", async (failure) => {
  answers = [failure, failure, 200];
  expect(await request()).toBe("id-token");
  expect(asked).toBe(3);
});

test.each<[string, ("lost" | number)[], number, RegExp]>([
  ["a server that stays busy", [503], 3, /it answered 503/],
  ["a refusal", [403], 1, /it answered 403.*id-token: write/],
  ["a redirect", [302], 1, /it answered 302|could not be asked/],
])("%s ends it, and its token is not shown", async (_what, given, attempts, why) => {
  answers = given;
  const failure = await request().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "KV_UNAUTHENTICATED", retryable: false, message: expect.stringMatching(why) });
  expect((failure as Error).message).not.toContain("CANARY");
  expect(asked).toBe(attempts);
});
