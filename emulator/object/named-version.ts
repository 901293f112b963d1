import type { Context } from "../operation.js";
import type { StoredCollection } from "../store/stored-object.js";
import { type In, missing } from "./lifecycle.js";

/** The version that the request names, or the current one. @throws ServiceError 404 with `name/version`. */
export function currentOrNamed<C extends StoredCollection>(context: Context, object: In<C>) {
  const version = context.store.version(object, context.version ?? object.current);
  if (version !== undefined) return version;
  throw missing(context, object.collection, `${context.name}/${context.version ?? object.current}`);
}
