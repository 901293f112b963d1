import type { Pool } from "undici";

/** The least that a reader of a vault's list can do: follow the links, parse the JSON, look at each item. */
export async function rawPaging(pool: Pool, token: string): Promise<number> {
  let count = 0;
  let path: string | undefined = "/keys?api-version=7.4";
  while (path !== undefined) {
    const { body } = await pool.request({
      method: "GET",
      path,
      headers: { accept: "application/json", authorization: `Bearer ${token}` },
    });
    const page = (await body.json()) as { value: unknown[]; nextLink: string | null };
    for (const _item of page.value) count++;
    path = page.nextLink === null ? undefined : page.nextLink.slice(page.nextLink.indexOf("/keys"));
  }
  return count;
}
