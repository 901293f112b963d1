import { startProviderServer } from "../../plugin/provider-service.js";
import { writeProperties } from "../../plugin/wire-properties.js";
import { isRecord } from "../../provider/engine/input-check.js";
import type { DynamicProvider, Properties } from "../../provider/engine/lifecycle.js";
import {
  grpc,
  messages,
  type ProviderMessages,
  providerService,
  type StructMessages,
  statusMessages,
} from "../../provider/engine/sdk-protocol.js";
import { withoutShown } from "../../provider/engine/shown-outputs.js";
import { stored } from "../provider/stored.js";

type Client = InstanceType<typeof providerService.ResourceProviderClient>;

const { DIFF_SOME } = messages.DiffResponse.DiffChanges;

let connected: Promise<Client> | undefined;

/** A client of the plugin's server, as the engine is one. One server for all tests of a file. */
export function pluginClient(): Promise<Client> {
  connected ??= startProviderServer("0.0.0").then(
    (port) =>
      new providerService.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
        "grpc.max_receive_message_length": 400 * 1024 * 1024,
      }),
  );
  return connected;
}

export function answered<Response>(
  call: (answer: (error: Error | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((done, fail) => {
    call((error, response) => (error ? fail(asTold(error)) : done(response)));
  });
}

/**
 * The plugin in the form of the dynamic provider, everything over the wire: what runs through the one door in the tests
 * of lifecycles can run through the other.
 */
export function wiredProvider(className: string): DynamicProvider {
  let urn = `urn:pulumi:prod::shop::keyvault:index:${className}::orders`;
  return {
    configure: async () => {},
    async check(olds, { claimant, owner, autoName, restoreFrom, __provider, ...news }) {
      const [root, project, , ...name] = String(Object(owner).urn ?? urn).split("::");
      urn = [root, project, `keyvault:index:${className}`, ...name].join("::");
      const request = new messages.CheckRequest();
      request.setUrn(urn);
      request.setOlds(writeProperties(olds));
      request.setNews(writeProperties(asProgram(news, restoreFrom)));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.CheckResponse>((answer) => client.check(request, answer));
      return {
        inputs: answeredProperties(response.getInputs()),
        failures: response.getFailuresList().map((failure) => ({ property: "", reason: failure.getReason() })),
      };
    },
    async diff(id, olds, news) {
      const request = new messages.DiffRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(writeProperties(stateOf(olds)));
      request.setNews(writeProperties(news));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.DiffResponse>((answer) => client.diff(request, answer));
      const isIncomplete = response.getChanges() === DIFF_SOME && response.getDiffsList().length === 0;
      return {
        changes: isIncomplete && response.getReplacesList().length === 0 ? true : undefined,
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    async create(inputs) {
      const request = new messages.CreateRequest();
      request.setUrn(urn);
      request.setProperties(writeProperties(inputs));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.CreateResponse>((answer) => client.create(request, answer));
      return { id: response.getId(), outs: recordedOutputs(response.getProperties()) };
    },
    async read(id, props) {
      const request = new messages.ReadRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(writeProperties(stateOf(props)));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.ReadResponse>((answer) => client.read(request, answer));
      return {
        id: response.getId(),
        props: recordedOutputs(response.getProperties()),
        inputs: answeredProperties(response.getInputs()),
      };
    },
    async update(id, olds, news) {
      const request = new messages.UpdateRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(writeProperties(stateOf(olds)));
      request.setNews(writeProperties(news));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.UpdateResponse>((answer) => client.update(request, answer));
      return { outs: recordedOutputs(response.getProperties()) };
    },
    async delete(id, props) {
      const request = new messages.DeleteRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(writeProperties(stateOf(props)));
      const client = await pluginClient();
      await answered((answer) => client.delete(request, answer));
    },
  };
}

/**
 * A failure as the engine tells it, and a partial outcome as it reads it from the status. The client of gRPC puts the
 * name of a code before each message.
 */
function asTold(error: Error): Error {
  const told = new Error("details" in error ? String(error.details) : error.message);
  const metadata = "metadata" in error && error.metadata instanceof grpc.Metadata ? error.metadata : undefined;
  const [packed] = metadata?.get("grpc-status-details-bin") ?? [];
  if (packed === undefined) return told;
  const [detail] = statusMessages.Status.deserializeBinary(Buffer.from(packed)).getDetailsList();
  const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return Object.assign(told, {
    id: failed.getId(),
    properties: recordedOutputs(failed.getProperties()),
    reasons: failed.getReasonsList(),
    inputs: answeredProperties(failed.getInputs()),
  });
}

/**
 * What TypeScript's classes hand on by another name than programs give, by the program's. Over the keys of a set comes
 * what the engine keeps by `ignoreChanges`.
 */
function asProgram({ entries, keys, ...news }: Properties, restoreFrom: unknown): Properties {
  return {
    ...news,
    ...(restoreFrom === undefined ? {} : { restore: restoreFrom }),
    keys: isRecord(entries) ? { ...entries, ...Object(keys) } : (entries ?? wholeOf(keys)),
  };
}

/** The engine keeps no member of a key that the program does not have: only all of it, which says where it comes from. */
function wholeOf(keys: unknown): unknown {
  if (!isRecord(keys)) return keys;
  const whole = Object.entries(keys).filter(
    ([, entry]) => !isRecord(entry) || ["thumbprint", "generate", "restore", "adopt"].some((source) => source in entry),
  );
  return whole.length === 0 ? undefined : Object.fromEntries(whole);
}

/** As they cross the wire: what is secret is in its envelope. */
function answeredProperties(struct: StructMessages.Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/** What the engine keeps of a resource, by what the dynamic provider would have recorded of it. */
const states = new Map<string, Properties>();

/** Outputs as the dynamic provider records them. Those that the plugin derives go along again with the next call. */
function recordedOutputs(struct: StructMessages.Struct | undefined): Properties {
  const state = answeredProperties(struct);
  const recorded = withoutShown(state);
  states.set(JSON.stringify(stored(recorded)), state);
  return recorded;
}

function stateOf(recorded: Properties): Properties {
  return states.get(JSON.stringify(stored(recorded))) ?? recorded;
}
