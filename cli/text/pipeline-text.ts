import { ORDER_ANYWHERE, ORDER_AT_START } from "../../provider/keyvault/printable-text.js";

export { inert } from "../../provider/keyvault/printable-text.js";

/** As `inert`, for JSON: it says the same, in another spelling. No line of JSON begins with a colon. */
export function inertJson(json: string): string {
  return json.replace(ORDER_ANYWHERE, "\\u0023#");
}

/** As `inert`, for XML: it says the same, in another spelling. */
export function inertXml(xml: string): string {
  return xml.replace(ORDER_ANYWHERE, "&#35;#").replace(ORDER_AT_START, "$1&#58;");
}
