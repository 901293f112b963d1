/** Writes to a store through an emulator of its own until it is killed; says each acknowledged write at once. */
import { writeSync } from "node:fs";
import { request } from "node:http";
import { startEmulator } from "../../emulator/index.js";

const [store = "", tag = ""] = process.argv.slice(2);
const emulator = await startEmulator({ store, timing: "instant" });

function call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${emulator.url}${path}?api-version=7.4`,
      { method, headers: { authorization: "Bearer x", "content-type": "application/json" } },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
const idOf = (text: string) => JSON.parse(text) as { id?: string; key?: { kid?: string } };

async function write(lane: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const secret = `s-${tag}-${lane}-${turn % 5}`;
    const value = `${secret} ${turn}`;
    const set = await call("PUT", `/secrets/${secret}`, { value, tags: { turn: String(turn) } });
    if (set.status === 200) say({ kind: "secret", id: idOf(set.text).id, value });
    const key = `k-${tag}-${lane}-${turn % 3}`;
    const created = await call("POST", `/keys/${key}/create`, { kty: "EC", tags: { turn: String(turn) } });
    if (created.status === 200) say({ kind: "key", id: idOf(created.text).key?.kid, turn: String(turn) });
    if (turn % 4 === 3) {
      const gone = `g-${tag}-${lane}-${turn}`;
      await call("PUT", `/secrets/${gone}`, { value: "x" });
      if ((await call("DELETE", `/secrets/${gone}`)).status === 200) say({ kind: "deleted", id: gone });
    }
  }
}

await Promise.all([0, 1, 2].map(write));
