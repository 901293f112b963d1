import { Deadline } from "../../provider/keyvault/deadline.js";
import type { Dispatch, VaultRequest, VaultResponse } from "../../provider/keyvault/dispatch.js";
import type { OperationName } from "../../provider/keyvault/operations.js";
import type { ManualClock } from "./manual-clock.js";

export type Step = Partial<VaultResponse> | Error | ((request: VaultRequest) => Promise<VaultResponse>);

/** Answers requests one after the other from a list; the last one stays. */
export function scriptedDispatch(...steps: Step[]): Dispatch & { requests: VaultRequest[] } {
  const requests: VaultRequest[] = [];
  const dispatch = async (request: VaultRequest): Promise<VaultResponse> => {
    const step = steps[Math.min(requests.length, steps.length - 1)];
    requests.push(request);
    if (step instanceof Error) throw step;
    if (typeof step === "function") return await step(request);
    return { status: 200, headers: {}, body: "{}", ...step };
  };
  return Object.assign(dispatch, { requests });
}

export function requestOf(
  clock: ManualClock,
  operation: OperationName,
  more: Partial<VaultRequest> = {},
): VaultRequest {
  return {
    operation,
    method: "GET",
    path: "/keys?api-version=7.4",
    headers: {},
    deadline: new Deadline(clock, 120_000),
    ...more,
  };
}
