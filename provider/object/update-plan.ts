/**
 * What an update does about one property in which the program differs from what state records. One function for each
 * kind of object decides it; the update carries it out, and the preview and the drift report tell of it.
 */
export type PlannedAction =
  /** Written in place. */
  | "patch"
  /** The reason for a new version of the program's source. */
  | "newVersion"
  /** The reason for a new version of the same source, since nothing else is without it. */
  | "versionWithout"
  /** Goes with a version that is made for another reason. */
  | "withVersion"
  /** Moved to the moment that the rotation policy sets. */
  | "policyMoment"
  /** The rotation policy is written. */
  | "policy"
  /** Nothing is written: state takes the version as it is. */
  | "take"
  /** Nothing is written: the service has set it, or the program leaves it to the vault. */
  | "leave"
  /** The update fails because of it. */
  | "refuse"
  /** Would be written, and is not, since the update fails because of another property. */
  | "blocked";

/** By property. What is not in it is as the program says. */
export type UpdatePlan = ReadonlyMap<string, PlannedAction>;

export function propertiesTo(plan: UpdatePlan, ...actions: readonly PlannedAction[]): string[] {
  return [...plan].filter(([, action]) => actions.includes(action)).map(([property]) => property);
}

export function plans(plan: UpdatePlan, ...actions: readonly PlannedAction[]): boolean {
  return propertiesTo(plan, ...actions).length > 0;
}

const WRITES: readonly PlannedAction[] = ["patch", "policyMoment", "policy", "newVersion", "versionWithout"];

/** Settles what depends on the rest: attributes go with a version, and a refusal keeps everything from being written. */
export function settledPlan(plan: Map<string, PlannedAction>): UpdatePlan {
  const isRefused = plans(plan, "refuse");
  const hasVersion = plans(plan, "newVersion", "versionWithout");
  for (const [property, action] of plan) {
    if (isRefused && WRITES.includes(action)) plan.set(property, "blocked");
    else if (hasVersion && (action === "patch" || action === "policyMoment")) plan.set(property, "withVersion");
  }
  return plan;
}
