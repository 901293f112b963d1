import { mayLackInnerCode } from "./builds.js";
import type { Correspondence } from "./correspondence.js";
import { errorOf, isObject } from "./json.js";
import { normaliseMessage } from "./normalise.js";
import type { Step } from "./scenario.js";
import { asToday } from "./superseded.js";

/** An answer of the emulator. */
export interface EmulatedAnswer {
  status: number;
  headers: Record<string, string>;
  /** Parsed where it is JSON, else the text; undefined when there is none. */
  body: unknown;
}

interface ErrorContext {
  step: Step;
  plane: "vault" | "managedhsm";
  provenance: string;
  correspondence: Correspondence;
}

/** Compares a refusal with the recorded one, as today's service words it. @returns what differs, a line each. */
export function compareErrors(emulated: EmulatedAnswer, context: ErrorContext): string[] {
  const { step, plane, correspondence } = context;
  const { status, body } = step.exchange.response;
  if (status === 401) return compareChallenges(emulated, context);
  if (isHtml(body)) {
    return (emulated.headers["content-type"] ?? "").startsWith("text/html")
      ? []
      : ["body: the service sent an HTML page"];
  }
  const recorded = errorOf(body);
  const found = errorOf(emulated.body);
  // What a failing service says is nobody's promise.
  if (status >= 500) return [];
  if (recorded === undefined) return isObject(body) ? ["error: there is none in the recording"] : [];
  if (found === undefined) return ["error: there is none in the body"];
  const wanted = asToday(recorded, step.operation, plane);
  const differences: string[] = [];
  const isQuoted = wanted.code === undefined && context.provenance !== "recording";
  if (wanted.code !== found.code && !isQuoted) {
    differences.push(`error.code: is ${found.code}, was ${wanted.code}`);
  }
  const silent = recorded.innerCode === undefined && mayLackInnerCode(step, context.provenance);
  if (wanted.innerCode !== found.innerCode && !silent) {
    differences.push(`error.innererror.code: is ${found.innerCode}, was ${wanted.innerCode}`);
  }
  const strange = membersOf(body).filter((member) => !envelope.includes(member));
  if (strange.length > 0) differences.push(`error: the recording also has [${strange}]`);
  const added = membersOf(emulated.body).filter((member) => !envelope.includes(member));
  if (added.length > 0) differences.push(`error: the emulator adds [${added}]`);
  const words = normaliseMessage(wanted.message, correspondence);
  const said = normaliseMessage(found.message);
  if (words !== said) differences.push(`error.message: is ${JSON.stringify(said)}, was ${JSON.stringify(words)}`);
  return differences;
}

/** Every refusal of the service has these members and no others; `innererror` is often absent. */
const envelope = ["error", "error.code", "error.message", "error.innererror", "error.innererror.code"];

function membersOf(value: unknown, path = ""): string[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([member, inner]) => [
    `${path}${member}`,
    ...membersOf(inner, `${path}${member}.`),
  ]);
}

function compareChallenges(emulated: EmulatedAnswer, context: ErrorContext): string[] {
  const { step, plane } = context;
  const differences: string[] = [];
  const header = step.exchange.response.headers["www-authenticate"];
  if (header !== undefined) {
    const found = emulated.headers["www-authenticate"] ?? "";
    const members = (challenge: string) => [...challenge.matchAll(/(\w+)="/g)].map((match) => match[1]).join(",");
    if (members(header) !== members(found)) {
      differences.push(`www-authenticate: names [${members(found)}], not [${members(header)}]`);
    }
  }
  const recorded = errorOf(step.exchange.response.body);
  const found = errorOf(emulated.body);
  if (recorded === undefined) {
    if (plane === "vault" && found?.code !== "Unauthorized") differences.push("error.code: is not Unauthorized");
    if (plane === "managedhsm" && found !== undefined)
      differences.push("body: MHSM sends no error envelope with a challenge");
    return differences;
  }
  const wanted = asToday(recorded, step.operation, plane);
  if (found?.code !== wanted.code) differences.push(`error.code: is ${found?.code}, was ${wanted.code}`);
  const words = normaliseMessage(wanted.message, context.correspondence);
  const said = normaliseMessage(found?.message ?? "");
  if (words !== said) differences.push(`error.message: is ${JSON.stringify(said)}, was ${JSON.stringify(words)}`);
  return differences;
}

function isHtml(body: unknown): boolean {
  const text = Array.isArray(body) ? body.join("") : typeof body === "string" ? body : "";
  return /<html/i.test(text);
}
