import { withoutShown } from "../../provider/engine/shown-outputs.js";

const OF_PLUGIN = /^keyvault:index:(?=\w+$)/;
const DYNAMIC = "pulumi-nodejs:dynamic/keyvault:";

interface InState {
  type?: string | undefined;
  outputs?: Record<string, unknown> | null | undefined;
}

/**
 * A resource as the dynamic provider records it, whichever door it came through: the commands then know one type of each
 * kind, and outputs without what the plugin derives of them for programs.
 */
export function throughEitherDoor<S extends InState>(state: S): S {
  const type = state.type?.replace(OF_PLUGIN, DYNAMIC);
  return {
    ...state,
    ...(type === undefined ? {} : { type }),
    ...(state.outputs ? { outputs: withoutShown(state.outputs) } : {}),
  };
}
