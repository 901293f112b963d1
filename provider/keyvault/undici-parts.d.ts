/** A part of undici by its own file, which has no types of its own. */
declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}
