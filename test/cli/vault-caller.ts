import type { Emulator } from "../../emulator/index.js";

/** A request to a vault's REST API, past every client of ours. */
export type CallVault = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** Changes a vault from outside, as a person with a portal would. Anything but success is a failure of the test. */
export function vaultCaller({ url, token }: Pick<Emulator, "url" | "token">): CallVault {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}?api-version=7.4`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}`);
    return answer.status === 204 ? undefined : await answer.json();
  };
}
