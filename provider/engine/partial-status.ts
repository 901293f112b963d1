import {
  anyMessages,
  type Grpc,
  grpc,
  messages,
  type StructMessages,
  statusMessages,
  structMessages,
} from "./sdk-protocol.js";

/** What a failed call has the engine record all the same. */
export interface RecordedFailure {
  message: string;
  id: string;
  reasons: readonly string[];
  properties: StructMessages.Struct;
  /** Of a read. */
  inputs?: StructMessages.Struct | undefined;
}

/** In the form in which Go's gRPC reads it from the trailer of a call. */
export function packedStatus({ message, id, reasons, properties, inputs }: RecordedFailure): Buffer {
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(properties);
  detail.setReasonsList([...reasons]);
  if (inputs !== undefined) detail.setInputs(inputs);
  const any = new anyMessages.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(any);
  return Buffer.from(status.serializeBinary());
}

export function plainStruct(values: object): StructMessages.Struct {
  return structMessages.Struct.fromJavaScript(Object.fromEntries(Object.entries(values)));
}

export function statusMetadata(status: Buffer): Grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", status);
  return metadata;
}
