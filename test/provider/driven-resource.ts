import { expect } from "vitest";
import type { Emulator } from "../../emulator/index.js";
import { type DynamicProvider, isRecordedError, type RecordedError } from "../../provider/engine/lifecycle.js";
import { canonicalJson } from "../../provider/engine/normal-form.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import { stored } from "./stored.js";

export type Arguments = Record<string, unknown>;

function asRecorded(error: unknown): RecordedError {
  if (isRecordedError(error)) return error;
  throw error;
}

/** What the engine keeps of a resource: secrets are plain text when it hands them back. */
export interface State {
  id: string;
  inputs: Arguments;
  outs: Arguments;
}

/** A resource that a test takes through its life as the engine does, in this process and without it. */
export class DrivenResource {
  constructor(
    readonly provider: DynamicProvider,
    readonly vault: Emulator,
    readonly defaults: Arguments,
    readonly className = "Key",
  ) {
    startEngineRun(vault);
  }

  /** The arguments as the SDK passes them on. */
  passed(args: Arguments): Arguments {
    const { name = "unnamed" } = { ...this.defaults, ...args };
    return { ...identity(String(name), this.className), ...this.defaults, ...args };
  }

  async checked(args: Arguments, olds: Arguments = {}): Promise<Arguments> {
    const { inputs, failures } = await this.provider.check(olds, this.passed(args));
    expect(failures).toEqual([]);
    return stored(inputs);
  }

  async refused(args: Arguments, olds: Arguments = {}): Promise<string> {
    const { failures } = await this.provider.check(olds, this.passed(args));
    return failures.map(({ reason }) => reason).join("\n");
  }

  async created(args: Arguments): Promise<State> {
    const inputs = await this.checked(args);
    const { id, outs } = await this.provider.create(inputs);
    return { id, inputs, outs: stored(outs) };
  }

  async updated(state: State, args: Arguments): Promise<State> {
    const inputs = await this.checked(args, state.inputs);
    this.vault.requests.clear();
    const { outs } = await this.provider.update(state.id, state.outs, inputs);
    return { id: state.id, inputs, outs: stored(outs) };
  }

  /** The resource goes, in a run whose program does not have it any more. */
  async deleted({ id, outs }: Pick<State, "id" | "outs">): Promise<void> {
    nextEngineRun();
    await this.provider.delete(id, outs);
  }

  async refreshed(state: State): Promise<State> {
    const { id, inputs, props } = await this.provider.read(state.id, state.outs);
    return { id, inputs: stored(inputs ?? {}), outs: stored(props) };
  }

  /** A refresh that reads a part of it, as the engine records it, and what it says of the rest. */
  async refreshedInPart(state: State): Promise<State & { message: string }> {
    const error = await this.provider.read(state.id, state.outs).then(() => undefined, asRecorded);
    if (error === undefined) throw new Error("all of it was read");
    const { id, message, inputs, properties } = error;
    return { id, message, inputs: stored(inputs ?? {}), outs: stored(properties) };
  }

  /** The inputs that a refresh finds changed. */
  async drift(state: State): Promise<Arguments> {
    const { inputs } = await this.refreshed(state);
    const changed = Object.keys({ ...inputs, ...state.inputs }).filter(
      (property) => canonicalJson({ of: inputs[property] }) !== canonicalJson({ of: state.inputs[property] }),
    );
    return Object.fromEntries(changed.map((property) => [property, inputs[property]]));
  }

  /** What the vault was asked since the log was cleared. */
  operations(): string[] {
    return askedOperations(this.vault);
  }
}
