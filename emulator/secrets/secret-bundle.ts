import { renderAttributes, renderDeletion } from "../keys/key-bundle.js";
import type { Context } from "../operation.js";
import type { StoredObject, StoredSecretVersion } from "../store/stored-object.js";

type Wire = Record<string, unknown>;

const secretId = (context: Context, object: StoredObject) => `${context.origin}/secrets/${object.name}`;

/** Only set and get answer the value. */
export function renderSecretBundle(context: Context, object: StoredObject, version: StoredSecretVersion): Wire {
  return { value: version.value, ...renderSecretWithoutValue(context, object, version) };
}

/** What update, recover and restore answer. */
export function renderSecretWithoutValue(context: Context, object: StoredObject, version: StoredSecretVersion): Wire {
  return {
    contentType: version.contentType,
    id: `${secretId(context, object)}/${version.version}`,
    managed: object.managed ? true : undefined,
    attributes: renderAttributes(context, version.attributes),
    tags: version.tags,
    kid: version.kid,
  };
}

export function renderDeletedSecretBundle(context: Context, object: StoredObject, version: StoredSecretVersion): Wire {
  return { ...renderDeletion(context, object), ...renderSecretWithoutValue(context, object, version) };
}

export function renderSecretItem(
  context: Context,
  object: StoredObject,
  version: StoredSecretVersion,
  withVersion: boolean,
): Wire {
  const id = secretId(context, object);
  return {
    contentType: version.contentType,
    id: withVersion ? `${id}/${version.version}` : id,
    managed: object.managed ? true : undefined,
    attributes: renderAttributes(context, version.attributes),
    tags: version.tags,
  };
}

export function renderDeletedSecretItem(context: Context, object: StoredObject, version: StoredSecretVersion): Wire {
  return { ...renderDeletion(context, object), ...renderSecretItem(context, object, version, false) };
}
