/** The engine here takes what failed in part from the error itself, and no protocol has to be loaded. */
export const packedStatus = never;
export const plainStruct = never;
export const statusMetadata = never;

function never(): never {
  throw new Error("nothing is sent to an engine here");
}
