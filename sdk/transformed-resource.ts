import { createRequire } from "node:module";
import { sep } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { carriedMaps } from "./carried-maps.js";
import { noteTransformed } from "./left-out-objects.js";
import { className, kindOfType, type ResourceKind } from "./resource-kind.js";
import { resourceOptions, transformedTimeouts } from "./resource-options.js";
import { unencryptedInputs } from "./unencrypted-settings.js";

type Props = Record<string, unknown>;

/** A resource as a transform gets and gives it: what of it counts here. */
interface Transformed {
  props: Props;
  opts?: pulumi.CustomResourceOptions;
}

interface Declared extends Transformed {
  type: string;
  name: string;
}

type Transformation = (args: Declared & { resource: pulumi.Resource }) => Transformed | undefined;
type Transform = (args: Declared) => Promise<Transformed | undefined> | Transformed | undefined;

const CALLBACKS = `${sep}@pulumi${sep}pulumi${sep}runtime${sep}callbacks.js`;

/** Inputs that no program writes. Without the first of them, the engine does not know whose the resource is. */
const HIDDEN = ["__provider", "owner", "claimant", "autoName"];

/** Inputs that hold material, whoever writes them. */
const SECRET = ["import", "value"];

/**
 * What a transform has made of a resource, with all that the constructor would have made of it: options refused, by the
 * names of state, and recorded; secret outputs secret, and the inputs that the provider needs, though the transform has
 * left them out.
 */
function settled(kind: ResourceKind, name: string, before: Transformed, after: Transformed): Transformed {
  const given = kind === "keySet" ? unencryptedInputs(name, after.props) : after.props;
  const props = carriedMaps(`${className(kind)} "${name}"`, given);
  for (const input of HIDDEN) {
    if (props[input] === undefined && before.props[input] !== undefined) props[input] = before.props[input];
  }
  for (const input of SECRET) {
    if (props[input] !== undefined && props[input] !== before.props[input]) props[input] = pulumi.secret(props[input]);
  }
  noteTransformed(props);
  if (after.opts === undefined) return { props };
  const timeouts = transformedTimeouts(kind, name, props.timeouts, { before: before.opts, after: after.opts });
  const { deleteBeforeReplace, ...opts } = resourceOptions(kind, name, after.opts);
  // The SDK tells a transform "false" where nothing is said, and would send it back as the program's word.
  const order = deleteBeforeReplace ? { deleteBeforeReplace } : {};
  return { props: { ...props, ...timeouts }, opts: { ...opts, ...order } };
}

/**
 * Has what transformations say of a resource of this class settled. The SDK assembles them in its constructor, those of
 * all parents and of the stack behind the resource's own, and this is where they pass by: one more comes behind them.
 */
export function settleTransformations(resource: { prototype: pulumi.CustomResource }, kind: ResourceKind): void {
  Object.defineProperty(resource.prototype, "__transformations", {
    configurable: true,
    set(this: pulumi.CustomResource, assembled: unknown) {
      const isTransformed = Array.isArray(assembled) && assembled.length > 0;
      const value = isTransformed ? settling(this, kind, assembled) : assembled;
      Object.defineProperty(this, "__transformations", { configurable: true, enumerable: true, writable: true, value });
    },
  });
}

/** Children inherit all of them, and the two that are added are for this resource alone. */
function settling(owner: pulumi.CustomResource, kind: ResourceKind, transformations: Transformation[]) {
  let before: Transformed | undefined;
  const first: Transformation = ({ resource, props, opts }) => {
    if (resource === owner) before = { props: { ...props }, opts: { ...opts } };
    return undefined;
  };
  const last: Transformation = ({ resource, name, ...after }) =>
    resource === owner && before ? settled(kind, name, before, after) : undefined;
  return [first, ...transformations, last];
}

/**
 * Has what transforms say settled: the engine calls them, those of parents and of the stack behind the resource's own,
 * when the constructor is through. In an SDK that serves those calls otherwise, they stand as they are.
 */
export function settleTransforms(modules: NodeJS.Dict<NodeModule> = createRequire(__filename).cache): void {
  for (const [path, loaded] of Object.entries(modules)) {
    if (path.endsWith(CALLBACKS)) settleCallbacks(loaded?.exports);
  }
}

function settleCallbacks(callbacks: unknown): void {
  const server: unknown = Object(callbacks).CallbackServer;
  const prototype: unknown = typeof server === "function" ? server.prototype : undefined;
  const register: unknown = Object(prototype).registerTransform;
  if (typeof register !== "function") return;
  Object.defineProperty(prototype, "registerTransform", {
    configurable: true,
    writable: true,
    value(this: unknown, transform: Transform) {
      return register.call(this, async (args: Declared) => {
        const after = await transform(args);
        const kind = kindOfType(args.type);
        return after === undefined || kind === undefined ? after : settled(kind, args.name, args, after);
      });
    },
  });
}
