import { request } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "./open-vault.js";

const jwt = (claims: object) =>
  `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

describe("the challenge", () => {
  it("comes before anything else of a request is looked at", async () => {
    const { call, emulator } = await openVault();
    for (const [method, path] of [
      ["GET", "/keys"],
      ["PUT", "/secrets/!!"],
      ["POST", "/nowhere"],
      ["GET", "/keys/%"],
    ] as const) {
      const answered = await call(method, path, undefined, { token: null, apiVersion: null });
      expect(answered).toMatchObject(
        refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token."),
      );
      expect(answered.headers["www-authenticate"]).toMatch(
        /^Bearer authorization="https:\/\/login\.windows\.net\/[0-9a-f-]{36}", resource="https:\/\/vault\.azure\.net"$/,
      );
    }
    expect(emulator.requests.log.map((each) => each.operation)).toEqual(Array(4).fill("challenge"));
  });

  it("does not wait for a body", async () => {
    const { emulator } = await openVault();
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(
        {
          port: emulator.port,
          method: "PUT",
          path: "/secrets/a?api-version=7.4",
          headers: { "content-length": "1000000" },
        },
        (answer) => {
          resolve(answer.statusCode);
          outgoing.destroy();
        },
      );
      outgoing.on("error", reject);
      outgoing.flushHeaders();
    });
    expect(status).toBe(401);
  });

  it("names the rest of the host as its resource where the host has the vault's name", async () => {
    const { call } = await openVault({ vaults: ["first", "second"] });
    const challenge = async (host: string) =>
      (await call("GET", "/keys", undefined, { token: null, headers: { host } })).headers["www-authenticate"] as string;
    expect(await challenge("second.localhost:8443")).toContain('resource="https://localhost"');
    expect(await challenge("first.vault.azure.net")).toContain('resource="https://vault.azure.net"');
    expect(await challenge("127.0.0.1")).toContain('resource="https://vault.azure.net"');
  });

  it("is another one on a Managed HSM", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const answered = await call("GET", "/keys", undefined, { token: null });
    expect([answered.status, answered.text]).toEqual([401, "OK"]);
    expect(answered.headers["www-authenticate"]).toMatch(
      /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}", resource="https:\/\/managedhsm\.azure\.net"$/,
    );
  });

  it("takes any token, but none for another audience and none that has expired", async () => {
    const { call } = await openVault();
    expect((await call("GET", "/keys", undefined, { token: "anything" })).status).toBe(200);
    expect((await call("GET", "/keys", undefined, { token: jwt({ aud: "https://vault.azure.net" }) })).status).toBe(
      200,
    );
    const slashed = await call("GET", "/keys", undefined, { token: jwt({ aud: "https://vault.azure.net/" }) });
    expect(slashed.body.error).toMatchObject({
      message: expect.stringMatching(
        /^AKV10022: Invalid audience\. Expected https:\/\/vault\.azure\.net, found: https:\/\/vault\.azure\.net\/\.$/,
      ),
    });
    expect((await call("GET", "/keys", undefined, { token: jwt({ exp: 1 }) })).status).toBe(401);
  });

  it("answers with the service's headers", async () => {
    const { call } = await openVault({ vaults: [{ name: "west", location: "westeurope" }] });
    expect((await call("GET", "/keys")).headers).toMatchObject({
      "cache-control": "no-cache",
      pragma: "no-cache",
      expires: "-1",
      "content-type": "application/json; charset=utf-8",
      "x-content-type-options": "nosniff",
      "strict-transport-security": expect.any(String),
      "x-ms-keyvault-region": "westeurope",
      "x-ms-keyvault-service-version": expect.any(String),
      "x-ms-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("wants an api-version", async () => {
    const { call } = await openVault();
    expect(await call("GET", "/keys", undefined, { apiVersion: null })).toMatchObject(refusal(400, "BadParameter"));
    expect(await call("GET", "/keys", undefined, { apiVersion: "latest" })).toMatchObject(refusal(400, "BadParameter"));
  });
});

describe("sockets that misbehave", () => {
  const exchange = (port: number, text: string, end = true) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => (end ? socket.end(text) : socket.write(text)));
      let out = "";
      socket.on("data", (chunk: Buffer) => {
        out += chunk.toString("latin1");
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(out));
    });

  it("get the envelope for what is no HTTP, for floods of headers and for tunnels", async () => {
    const { emulator } = await openVault();
    const flood = `GET /keys HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 5_000 }, (_, index) => `x-${index}: ${"y".repeat(20)}\r\n`).join("")}\r\n`;
    for (const text of [
      "nonsense\r\n\r\n",
      flood,
      "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
    ]) {
      const answered = await exchange(emulator.port, text);
      expect(answered).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answered).toContain('{"error":{"code":"BadParameter"');
    }
  });

  it("may speak plainly at the HTTPS door, or break off the handshake", async () => {
    const { emulator } = await openVault({ tls: true });
    for (const text of ["GET /keys HTTP/1.1\r\nHost: x\r\n\r\n", "\u0016\u0003\u0001\u0002\u0000\u0001", ""]) {
      expect(await exchange(emulator.port, text)).not.toContain("200 OK");
    }
    await expect(fetch(emulator.url)).rejects.toThrow();
  });

  it("do not keep others from their answers, nor the emulator from closing", async () => {
    const { emulator, call } = await openVault();
    const sockets = Array.from({ length: 50 }, (_, index) => {
      const socket = connect(emulator.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(
        index % 2 === 0
          ? "GET /keys HT"
          : "PUT /secrets/a?api-version=7.4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n\r\nhalf",
      );
      return socket;
    });
    expect((await call("GET", "/keys")).status).toBe(200);
    await emulator.close();
    for (const socket of sockets) socket.destroy();
  });

  it("may send a body of 1 MB, 16 MB to restore, and no more", async () => {
    const { call } = await openVault();
    expect(
      (await call("PUT", "/secrets/a", undefined, { raw: `{"value":"x","y":"${"y".repeat(1_000_000)}"}` })).status,
    ).toBe(200);
    expect(await call("PUT", "/secrets/a", undefined, { raw: "x".repeat(1_100_000) })).toMatchObject(
      refusal(413, "RequestEntityTooLarge"),
    );
    expect(
      await call("PUT", "/secrets/a", undefined, {
        raw: "x".repeat(1_100_000),
        headers: { "transfer-encoding": "chunked" },
      }),
    ).toMatchObject({ status: 413 });
    expect(await call("POST", "/keys/restore", { value: "A".repeat(2_000_000) })).toMatchObject(
      refusal(400, "Malformed backup blob"),
    );
  });

  it("may nest as deep and repeat members as often as they like", async () => {
    const { call } = await openVault();
    expect(await call("PUT", "/secrets/a", undefined, { raw: "[".repeat(100_000) })).toMatchObject(
      refusal(400, "BadParameter"),
    );
    const deep = `{"value":"x","more":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect((await call("PUT", "/secrets/a", undefined, { raw: deep })).status).toBe(200);
    expect((await call("PUT", "/secrets/a", undefined, { raw: '{"value":"1","value":"2"}' })).body.value).toBe("2");
    expect(await call("PUT", "/secrets/a", undefined, { raw: "" })).toMatchObject(
      refusal(400, "BadParameter", "Request body not specified"),
    );
    const polluting = '{"value":"x","tags":{"__proto__":"y","constructor":"z"}}';
    expect((await call("PUT", "/secrets/b", undefined, { raw: polluting })).text).toContain(
      '"tags":{"__proto__":"y","constructor":"z"}',
    );
  });

  it("may not come from a page in a browser", async () => {
    const { call } = await openVault();
    for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "same-origin" }]) {
      expect((await call("GET", "/secrets", undefined, { headers })).status).toBe(403);
    }
    expect((await call("GET", "/secrets", undefined, { headers: { "sec-fetch-site": "none" } })).status).toBe(200);
  });

  it("may ask for what is not there", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/keys//create", { kty: "RSA" })).toMatchObject(
      refusal(400, "BadParameter", "Operation not specified"),
    );
    expect(await call("POST", "/keys/a/dance", {})).toMatchObject(
      refusal(400, "BadParameter", "Operation not specified"),
    );
    for (const path of ["/keys/a", `/keys/a/${"0".repeat(32)}`, "/secrets/a", "/keys", "/deletedkeys/a"]) {
      expect(await call("POST", path, {})).toMatchObject(refusal(405, "MethodNotAllowed", "HTTP POST not allowed"));
    }
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      expect(await call(method, "/keys/")).toMatchObject(
        refusal(405, "MethodNotAllowed", `HTTP ${method} not allowed`),
      );
    }
    expect((await call("GET", "/certificates")).status).toBe(404);
    expect((await call("GET", "/keys/%25")).text).toContain("Runtime Error");
    const hsm = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    expect(await hsm.call("POST", "/keys/a/dance", {})).toMatchObject(
      refusal(400, "NotSupported", /^action 'dance' not supported \(Activity ID/),
    );
    expect(await hsm.call("POST", "/keys/a!/create", { kty: "EC" })).toMatchObject(
      refusal(400, "BadParameter", /^Invalid key identifier or name \(Activity ID/),
    );
  });
});
