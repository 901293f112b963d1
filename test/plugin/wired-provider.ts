import { startProviderServer } from "../../plugin/provider-service.js";
import { grpc, messages, type ProviderMessages, providerService, statusMessages } from "../../plugin/sdk-protocol.js";
import { readProperties, writeProperties } from "../../plugin/wire-properties.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";

type Client = InstanceType<typeof providerService.ResourceProviderClient>;

let connected: Promise<Client> | undefined;

/** A client of the plugin's server, as the engine is one. One server for all tests of a file. */
export function pluginClient(): Promise<Client> {
  connected ??= startProviderServer("0.0.0").then(
    (port) => new providerService.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure()),
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
      request.setNews(writeProperties({ ...news, ...(restoreFrom === undefined ? {} : { restore: restoreFrom }) }));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.CheckResponse>((answer) => client.check(request, answer));
      return {
        inputs: readProperties(response.getInputs()).values,
        failures: response.getFailuresList().map((failure) => ({ property: "", reason: failure.getReason() })),
      };
    },
    async diff(id, olds, news) {
      const request = new messages.DiffRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(writeProperties(olds));
      request.setNews(writeProperties(news));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.DiffResponse>((answer) => client.diff(request, answer));
      return {
        changes: undefined,
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
      return { id: response.getId(), outs: readProperties(response.getProperties()).values };
    },
    async read(id, props) {
      const request = new messages.ReadRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(writeProperties(props));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.ReadResponse>((answer) => client.read(request, answer));
      return {
        id: response.getId(),
        props: readProperties(response.getProperties()).values,
        inputs: readProperties(response.getInputs()).values,
      };
    },
    async update(id, olds, news) {
      const request = new messages.UpdateRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(writeProperties(olds));
      request.setNews(writeProperties(news));
      const client = await pluginClient();
      const response = await answered<ProviderMessages.UpdateResponse>((answer) => client.update(request, answer));
      return { outs: readProperties(response.getProperties()).values };
    },
    async delete(id, props) {
      const request = new messages.DeleteRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(writeProperties(props));
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
    properties: readProperties(failed.getProperties()).values,
    reasons: failed.getReasonsList(),
  });
}
