import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Emulator } from "../../emulator/index.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import {
  type Dispatch,
  TransportFailure,
  type VaultRequest,
  type VaultResponse,
} from "../../provider/keyvault/dispatch.js";

/** A client of an emulator in this process. Node takes further authorities at its start only, so the socket is ours. */
export function ownClient(emulator: Emulator, plane: "vault" | "managedhsm"): KeyVaultClient {
  return new KeyVaultClient({
    vaultUrl: emulator.url,
    plane,
    credential: {
      getToken: async () => ({ token: emulator.token, expiresOn: new Date(Date.now() + 3_600_000) }),
    },
    dispatch: dispatchTo(emulator),
  });
}

function dispatchTo({ url, caCertificate }: Emulator): Dispatch {
  return (request) => new Promise((resolve, reject) => send(request, url, caCertificate, resolve, reject));
}

function send(
  { method, path, headers, body, deadline }: VaultRequest,
  url: string,
  ca: string | undefined,
  resolve: (response: VaultResponse) => void,
  reject: (failure: TransportFailure) => void,
): void {
  const open = ca === undefined ? requestPlain : requestTls;
  const options = { method, headers: { ...headers }, signal: deadline.signal, ...(ca === undefined ? {} : { ca }) };
  const fail = (cause: unknown): void => reject(new TransportFailure(cause, true));
  const outgoing = open(new URL(path, url), options, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    answer.on("error", fail);
    answer.on("end", () => {
      const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(named), body: text });
    });
  });
  outgoing.on("error", fail);
  outgoing.end(body);
}
