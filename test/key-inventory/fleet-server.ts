import { type Answer, VaultServer } from "../keyvault/vault-server.js";

export interface FleetKey {
  name: string;
  created?: number;
  enabled?: boolean;
  expires?: number;
  managed?: boolean;
  tags?: Record<string, string>;
}

export const forbidden: Answer = {
  status: 403,
  body: { error: { code: "Forbidden", message: "no", innererror: { code: "AccessDenied" } } },
};

const PAGE = 25;

/** A vault of many keys that can be changed between two looks at it. It only lists. */
export class FleetServer {
  keys: FleetKey[] = [];
  deleted: FleetKey[] = [];
  /** What the list of deleted keys is answered with instead. */
  deletedAnswer: Answer | undefined;
  /** What the question for a rotation policy is answered with instead, by the key's name. */
  policyAnswers: Record<string, Answer> = {};
  /** Pages that were asked for. */
  pages = 0;
  /** Rotation policies that were asked for. */
  policies = 0;

  private constructor(readonly server: VaultServer) {}

  static async start(): Promise<FleetServer> {
    let fleet: FleetServer | undefined;
    const server = await VaultServer.start(({ url }) => fleet?.answer(new URL(url, "http://vault")) ?? { status: 500 });
    fleet = new FleetServer(server);
    return fleet;
  }

  get url(): string {
    return this.server.url;
  }

  private answer({ pathname, searchParams }: URL) {
    if (pathname.endsWith("/rotationpolicy")) {
      this.policies++;
      const instead = this.policyAnswers[pathname.split("/")[2] ?? ""] ?? this.policyAnswers["*"];
      if (instead) return instead;
      return { status: 200, body: { lifetimeActions: [], attributes: null } };
    }
    const isDeleted = pathname === "/deletedkeys";
    if (isDeleted && this.deletedAnswer) return this.deletedAnswer;
    this.pages++;
    const all = isDeleted ? this.deleted : this.keys;
    const start = Number(searchParams.get("$skiptoken") ?? 0);
    const next = start + PAGE;
    return {
      status: 200,
      body: {
        value: all.slice(start, next).map((key) => item(key, isDeleted)),
        nextLink:
          next < all.length ? `https://v.vault.azure.net:443${pathname}?api-version=7.4&$skiptoken=${next}` : null,
      },
    };
  }
}

function item({ name, created = 1_700_000_000, enabled = true, expires, managed, tags }: FleetKey, isDeleted: boolean) {
  return {
    kid: `https://v.vault.azure.net/keys/${name}`,
    attributes: { enabled, created, updated: created, ...(expires === undefined ? {} : { exp: expires }) },
    ...(managed ? { managed } : {}),
    ...(tags ? { tags } : {}),
    ...(isDeleted ? { deletedDate: 1_795_000_000, scheduledPurgeDate: 1_800_000_000 } : {}),
  };
}
