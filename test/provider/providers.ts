/**
 * The resources as these suites take them through their lives: here through the dynamic provider. The tests of the plugin
 * put what drives the plugin in the place of this module.
 */
export * from "../../provider/dynamic-v1.js";

/** The type that the engine knows a resource by, as it stands in URNs. */
export const typeOf = (className: string): string => `pulumi-nodejs:dynamic/keyvault:${className}`;
