/**
 * What a build agent takes for an order to it, wherever it reads a line: `##vso[…]`, `##[…]` and `##teamcity[…]`
 * anywhere (Azure Pipelines, GitHub Actions, TeamCity), `::command::` at the start (GitHub Actions).
 */
const ANYWHERE = /##(?=\w*\[)/g;
const AT_START = /^([^\S\n]*):(?=:)/gm;

/** Text that no build agent obeys, with a space in the words that would be orders. */
export function inert(text: string): string {
  return text.replace(ANYWHERE, "# #").replace(AT_START, "$1: ");
}

/** As {@link inert}, for JSON: it says the same, in another spelling. No line of JSON begins with a colon. */
export function inertJson(json: string): string {
  return json.replace(ANYWHERE, "\\u0023#");
}

/** As {@link inert}, for XML: it says the same, in another spelling. */
export function inertXml(xml: string): string {
  return xml.replace(ANYWHERE, "&#35;#").replace(AT_START, "$1&#58;");
}
