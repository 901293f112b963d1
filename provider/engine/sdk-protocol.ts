import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as EngineService from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EngineMessages from "@pulumi/pulumi/proto/engine_pb";
import type * as PluginMessages from "@pulumi/pulumi/proto/plugin_pb";
import type * as ProviderService from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderMessages from "@pulumi/pulumi/proto/provider_pb";
import type * as StatusMessages from "@pulumi/pulumi/proto/status_pb";
import type * as AnyMessages from "google-protobuf/google/protobuf/any_pb";
import type * as EmptyMessages from "google-protobuf/google/protobuf/empty_pb";
import type * as StructMessages from "google-protobuf/google/protobuf/struct_pb";

/**
 * The engine's protocol as the installed `@pulumi/pulumi` speaks it: its generated messages, and the libraries beneath
 * them, all from the SDK's own dependencies. Messages of another copy of these libraries could not be told from it.
 * Nothing else of the SDK is loaded.
 */
const ofSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));

export const grpc: typeof Grpc = ofSdk("@grpc/grpc-js");
export const engineService: typeof EngineService = ofSdk("./proto/engine_grpc_pb");
export const engineMessages: typeof EngineMessages = ofSdk("./proto/engine_pb");
export const pluginMessages: typeof PluginMessages = ofSdk("./proto/plugin_pb");
export const providerService: typeof ProviderService = ofSdk("./proto/provider_grpc_pb");
export const messages: typeof ProviderMessages = ofSdk("./proto/provider_pb");
export const statusMessages: typeof StatusMessages = ofSdk("./proto/status_pb");
export const anyMessages: typeof AnyMessages = ofSdk("google-protobuf/google/protobuf/any_pb");
export const emptyMessages: typeof EmptyMessages = ofSdk("google-protobuf/google/protobuf/empty_pb");
export const structMessages: typeof StructMessages = ofSdk("google-protobuf/google/protobuf/struct_pb");

export type { Grpc, ProviderMessages, StructMessages };
