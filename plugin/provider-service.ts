import { messageOf } from "../provider/engine/lifecycle.js";
import { cancelRun } from "../provider/engine/run-cancellation.js";
import {
  emptyMessages,
  type Grpc,
  grpc,
  messages,
  type ProviderMessages,
  pluginMessages,
  providerService,
} from "../provider/engine/sdk-protocol.js";
import { KeyVaultError } from "../provider/keyvault/errors.js";
import { changedProperties, type PropertyChange, rootOf } from "./detailed-diff.js";
import { aboutResource, connectEngine, quietly } from "./engine-log.js";
import { partialStatus, StatusError } from "./partial-status.js";
import { callFunction } from "./plugin-functions.js";
import { configProblems, configure } from "./provider-config.js";
import {
  checkResource,
  createResource,
  deleteResource,
  diffResource,
  PartialOutcome,
  readResource,
  resourceOf,
  updateResource,
} from "./resource-calls.js";
import type { Autonaming } from "./resource-identity.js";
import { packageSchema } from "./schema/package-schema.js";
import { readProperties, type WireProperties, writeProperties } from "./wire-properties.js";

/**
 * The engine's provider protocol, in front of the lifecycles that the dynamic provider has too. It translates: what
 * comes over the wire into their plain values, their answers and errors into the wire's.
 */
export function startProviderServer(version: string): Promise<number> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": LARGEST_MESSAGE });
  server.addService(providerService.ResourceProviderService, providerHandlers(version));
  return new Promise((done, fail) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) fail(error);
      else done(port);
    });
  });
}

/** As the SDK has it: state may hold large backups. */
const LARGEST_MESSAGE = 1024 * 1024 * 400;

function providerHandlers(version: string): Grpc.UntypedServiceImplementation {
  return {
    handshake: unary(async (request: ProviderMessages.ProviderHandshakeRequest) => {
      connectEngine(request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    attach: unary(async (request: InstanceType<typeof pluginMessages.PluginAttach>) => {
      connectEngine(request.getAddress());
      return new emptyMessages.Empty();
    }),
    getPluginInfo: unary(async () => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: unary(async (request: ProviderMessages.GetSchemaRequest) => {
      if (request.getVersion() !== 0 || request.getSubpackageName() !== "") throw noSuchSchema();
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify(packageSchema(version)));
      return response;
    }),
    checkConfig: unary(checkConfig),
    diffConfig: unary(diffConfig),
    configure: unary(async (request: ProviderMessages.ConfigureRequest) => {
      configure(readProperties(request.getArgs()).values);
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    check: unary((request: ProviderMessages.CheckRequest) => aboutResource(request.getUrn(), () => check(request))),
    diff: unary((request: ProviderMessages.DiffRequest) => {
      const about = checked.has(request.getUrn()) ? aboutResource : quietly;
      return about(request.getUrn(), () => diff(request));
    }),
    create: unary((request: ProviderMessages.CreateRequest) => aboutResource(request.getUrn(), () => create(request))),
    read: unary((request: ProviderMessages.ReadRequest) => aboutResource(request.getUrn(), () => read(request))),
    update: unary((request: ProviderMessages.UpdateRequest) => aboutResource(request.getUrn(), () => update(request))),
    delete: unary((request: ProviderMessages.DeleteRequest) =>
      aboutResource(request.getUrn(), async () => {
        const outputs = readProperties(request.getProperties()).values;
        await deleteResource(request.getUrn(), request.getId(), outputs, timeoutOf(request));
        return new emptyMessages.Empty();
      }),
    ),
    invoke: unary(async (request: ProviderMessages.InvokeRequest) => {
      const { values, secrets } = await callFunction(request.getTok(), readProperties(request.getArgs()).values);
      const response = new messages.InvokeResponse();
      response.setReturn(writeProperties(values, secrets));
      return response;
    }),
    cancel: unary(async () => {
      cancelRun();
      return new emptyMessages.Empty();
    }),
  };
}

function noSuchSchema(): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", "this version of the keyvault plugin has no schema of that form", {
    hint: "it has one, of Pulumi's form 0 and without parameters: a later CLI may need a later pulumi-keyvault",
  });
}

async function checkConfig(request: ProviderMessages.CheckRequest) {
  const response = new messages.CheckResponse();
  const news = request.getNews();
  response.setFailuresList((await configProblems(readProperties(news).values)).map(failure));
  // As it came: what is secret in it stays so.
  response.setInputs(news);
  return response;
}

/** Another way to reach a vault is no other vault: that is told by each resource. So nothing is ever replaced. */
async function diffConfig(request: ProviderMessages.DiffRequest) {
  const response = new messages.DiffResponse();
  const before = readProperties(request.getOldInputs() ?? request.getOlds()).values;
  const changes = changedProperties(before, readProperties(request.getNews()).values);
  response.setChanges(changes.length > 0 ? SOME : NONE);
  response.setDiffsList(namesOf(changes));
  return response;
}

const { DIFF_SOME: SOME, DIFF_NONE: NONE } = messages.DiffResponse.DiffChanges;

/**
 * What the program has shown in this run. A refresh asks for a difference too, before anything of the program is known: of
 * what an update will do it has nothing to tell.
 */
const checked = new Set<string>();

async function check(request: ProviderMessages.CheckRequest) {
  checked.add(request.getUrn());
  const news = readProperties(request.getNews());
  const olds = readProperties(request.getOlds());
  const { inputs, failures } = await checkResource(request.getUrn(), olds.values, news.values, autonamingOf(request));
  const response = new messages.CheckResponse();
  const { digested = [] } = resourceOf(request.getUrn());
  const named = [...news.secrets].filter((name) => !digested.includes(name));
  response.setInputs(writeProperties(inputs, secretsIn(request, new Set(named), [news, olds])));
  response.setFailuresList(failures.map(({ reason }) => failure(reason)));
  return response;
}

/**
 * What of an answer is secret: `named`, and what state holds under other names of all that was marked in what the engine
 * sent. What was marked before counts too, since state may hold some of it still.
 */
function secretsIn(
  request: { getUrn(): string },
  named: ReadonlySet<string>,
  sent: readonly WireProperties[],
): ReadonlySet<string> {
  const { alsoSecret } = resourceOf(request.getUrn());
  return alsoSecret === undefined
    ? named
    : new Set([...named, ...alsoSecret(sent.flatMap((each) => each.secretPaths))]);
}

/** Without the property's name: the engine prints the value of a property that a failure names, be it a secret or not. */
function failure(reason: string): InstanceType<typeof messages.CheckFailure> {
  const told = new messages.CheckFailure();
  told.setReason(reason);
  return told;
}

function autonamingOf(request: ProviderMessages.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const { PROPOSE, ENFORCE, DISABLE } = messages.CheckRequest.AutonamingOptions.Mode;
  const modes: Record<number, Autonaming["mode"]> = {
    [PROPOSE]: "propose",
    [ENFORCE]: "enforce",
    [DISABLE]: "disable",
  };
  return { mode: modes[options.getMode()] ?? "propose", proposedName: options.getProposedName() };
}

async function diff(request: ProviderMessages.DiffRequest) {
  const { hasChanges, changes, replaces, deleteBeforeReplace } = await diffResource(request.getUrn(), request.getId(), {
    olds: readProperties(request.getOlds()).values,
    oldInputs: oldInputsOf(request)?.values,
    news: readProperties(request.getNews()).values,
  });
  const response = new messages.DiffResponse();
  response.setChanges(hasChanges || replaces.length > 0 ? SOME : NONE);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  const detail = response.getDetaileddiffMap();
  for (const { path, kind } of changes) detail.set(path, propertyDiff(kind, replaces.includes(path)));
  for (const path of replaces) if (!detail.has(path)) detail.set(path, propertyDiff("update", true));
  response.setDiffsList(namesOf(changes));
  return response;
}

/** The engine's lines show a change by its property alone, and `replaceOnChanges` may name any path. */
function namesOf(changes: readonly PropertyChange[]): string[] {
  return [...new Set(changes.flatMap(({ path }) => [rootOf(path), path]))];
}

function propertyDiff(kind: "add" | "delete" | "update", isReplaced: boolean) {
  const { Kind } = messages.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const told = new messages.PropertyDiff();
  told.setKind(kinds[kind][isReplaced ? 1 : 0]);
  told.setInputdiff(true);
  return told;
}

async function create(request: ProviderMessages.CreateRequest) {
  const news = readProperties(request.getProperties());
  const options = { isPreview: request.getPreview(), timeoutMs: timeoutOf(request) };
  const secrets = secretsIn(request, news.secrets, [news]);
  const { id, outputs } = await recordingPartial(secrets, () => createResource(request.getUrn(), news.values, options));
  const response = new messages.CreateResponse();
  response.setId(id);
  response.setProperties(writeProperties(outputs, secrets));
  return response;
}

async function update(request: ProviderMessages.UpdateRequest) {
  const news = readProperties(request.getNews());
  const options = { isPreview: request.getPreview(), timeoutMs: timeoutOf(request) };
  const olds = readProperties(request.getOlds());
  const oldInputs = oldInputsOf(request);
  const states = { olds: olds.values, oldInputs: oldInputs?.values, news: news.values };
  const secrets = secretsIn(request, news.secrets, [news, olds, ...(oldInputs === undefined ? [] : [oldInputs])]);
  const outputs = await recordingPartial(secrets, () =>
    updateResource(request.getUrn(), request.getId(), states, options),
  );
  const response = new messages.UpdateResponse();
  response.setProperties(writeProperties(outputs, secrets));
  return response;
}

async function read(request: ProviderMessages.ReadRequest) {
  const recorded = readProperties(request.getProperties());
  const inputs = readProperties(request.getInputs());
  const secrets = secretsIn(request, recorded.secrets, [recorded, inputs]);
  const secretInputs = secretsIn(request, inputs.secrets, [recorded, inputs]);
  const found = await recordingPartial(
    secrets,
    () => readResource(request.getUrn(), request.getId(), recorded.values, timeoutOf(request)),
    secretInputs,
  );
  const response = new messages.ReadResponse();
  response.setId(found.id);
  response.setProperties(writeProperties(found.outputs, secrets));
  response.setInputs(writeProperties(found.inputs, secretInputs));
  return response;
}

function oldInputsOf(
  request: ProviderMessages.DiffRequest | ProviderMessages.UpdateRequest,
): WireProperties | undefined {
  const inputs = request.getOldInputs();
  return inputs === undefined ? undefined : readProperties(inputs);
}

/** The oldest SDKs have none for a read. */
function timeoutOf(request: { getTimeout?(): number }): number | undefined {
  const seconds = request.getTimeout?.() ?? 0;
  return seconds > 0 ? seconds * 1000 : undefined;
}

/** What a partial outcome records is encrypted as what a whole one does. */
async function recordingPartial<T>(
  secrets: ReadonlySet<string>,
  call: () => Promise<T>,
  secretInputs = secrets,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PartialOutcome) throw partialStatus(error, secrets, secretInputs);
    throw error;
  }
}

/** A call and its answer. Of an error only the message crosses, which begins with its code. */
function unary<Request, Response>(serve: (request: Request) => Promise<Response>) {
  return (call: { request: Request }, answer: Grpc.sendUnaryData<Response>): void => {
    serve(call.request).then(
      (response) => answer(null, response),
      (error: unknown) => {
        const metadata = error instanceof StatusError ? { metadata: error.metadata } : {};
        answer({ code: grpc.status.UNKNOWN, message: messageOf(error), ...metadata });
      },
    );
  };
}
