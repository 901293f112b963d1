import { errorOf } from "./json.js";
import type { Scenario } from "./scenario.js";

/** How the vault behind a recorded host was set up, as far as its answers show. */
export interface VaultSetup {
  host: string;
  plane: "vault" | "managedhsm";
  sku: "standard" | "premium";
  softDelete: boolean;
  purgeProtection: boolean;
  retentionDays: number;
}

const day = 86_400;

export function setupsOf(scenario: Scenario): VaultSetup[] {
  return [...new Set(scenario.steps.map(({ host }) => host))].map((host) => {
    const exchanges = scenario.steps.filter((step) => step.host === host).flatMap(({ pages }) => pages);
    const bodies = exchanges.map(({ response }) => response.body);
    const text = JSON.stringify(bodies);
    const errors = bodies.map(errorOf).filter((error) => error !== undefined);
    const says = (pattern: RegExp) => errors.some(({ message }) => pattern.test(message));
    const level = /"recovery[lL]evel":"([^"]*)"/.exec(text)?.[1];
    const plane = scenario.planes.get(host) ?? "vault";
    const hard = plane === "managedhsm";
    const wordless = level === undefined && deletesForGood(exchanges);
    return {
      host,
      plane,
      sku: errors.some(({ innerCode }) => innerCode === "HardwareKeysNotSupported") ? "standard" : "premium",
      softDelete: hard || !(level === "Purgeable" || wordless || says(/"purge" is not enabled for this vault/)),
      purgeProtection: says(/purge protection is enabled/) || (level !== undefined && !level.includes("Purgeable")),
      retentionDays: retentionOf(text, level),
    };
  });
}

/** A deletion that is answered without a way back: the vault has no soft delete. */
function deletesForGood(exchanges: Scenario["steps"][number]["pages"]): boolean {
  const deletions = exchanges.filter(
    ({ request, response }) =>
      request.method === "DELETE" && response.status === 200 && /^\/+(keys|secrets)\//.test(request.path),
  );
  return (
    deletions.length > 0 && deletions.every(({ response }) => !JSON.stringify(response.body).includes("recoveryId"))
  );
}

function retentionOf(text: string, level: string | undefined): number {
  const shown = Number(/"recoverableDays":(\d+)/.exec(text)?.[1] ?? 0);
  if (shown >= 7 && shown <= 90) return shown;
  const dates = /"deletedDate":(\d+),"scheduledPurgeDate":(\d+)/.exec(text);
  const kept = dates === null ? 0 : Math.round((Number(dates[2]) - Number(dates[1])) / day);
  if (kept >= 7 && kept <= 90) return kept;
  return level?.startsWith("Customized") === true ? 7 : 90;
}
