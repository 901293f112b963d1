import { z } from "zod";
import { CliError } from "../failure/cli-error.js";
import { throughEitherDoor } from "./either-door.js";
import { runEngine } from "./engine-run.js";

const resource = z
  .looseObject({
    urn: z.string(),
    type: z.string(),
    outputs: z.record(z.string(), z.unknown()).nullish(),
    inputs: z.record(z.string(), z.unknown()).nullish(),
  })
  .transform(throughEitherDoor);

const deployment = z.looseObject({
  deployment: z.looseObject({ resources: z.array(resource).nullish() }).nullish(),
});

export type StateResource = z.output<typeof resource>;

/**
 * Reads the state of a stack of the project in this folder, its secrets encrypted. `true` stands for the selected stack.
 *
 * @throws CliError `KV_STACK`
 */
export async function readStackState(stack: string | true): Promise<StateResource[]> {
  const args = ["stack", "export", "--non-interactive", ...(stack === true ? [] : ["--stack", stack])];
  const { exitCode, stdout, stderr } = await runEngine(args);
  if (exitCode !== 0) {
    const why = stderr.replace(/^error: /gm, "").trim() || `pulumi ended with ${exitCode}`;
    throw new CliError(
      "KV_STACK",
      `the state of ${stack === true ? "the selected stack" : `stack "${stack}"`} cannot be read (${why}): run it in the project's folder, with the stack's name after --stack`,
      exitCode,
    );
  }
  const parsed = deployment.safeParse(parseJson(stdout));
  if (!parsed.success)
    throw new CliError("KV_STACK", "pulumi stack export gave no state that is known here: update pulumi-keyvault");
  return parsed.data.deployment?.resources ?? [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
