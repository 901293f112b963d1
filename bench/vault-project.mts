import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { EngineProject } from "./engine-project.mts";

/** A vault in a process of its own, as `token` opens it. */
export interface BenchVault {
  url: string;
  token: string;
}

/** A project and its vault, both gone after the work. */
export async function withVault<T>(
  program: string,
  env: Record<string, string>,
  work: (project: EngineProject, vault: BenchVault) => Promise<T>,
): Promise<T> {
  const server = fork(join(import.meta.dirname, "emulator-server.mts"), ["emulator", "http"]);
  const [vault] = (await once(server, "message")) as [BenchVault];
  const project = await EngineProject.make(program, {
    VAULT_URL: vault.url,
    KEYVAULT_TOKEN: vault.token,
    KEYVAULT_CREDENTIAL: "token",
    ...env,
  });
  try {
    await project.pulumi("config", "set", "keyvault:credential", "token");
    return await work(project, vault);
  } finally {
    server.kill();
    project.remove();
  }
}
