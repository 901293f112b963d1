import { counted } from "../text/counted.js";
import { printable } from "../text/terminal-text.js";
import type { DriftedResource, DriftReport } from "./drift-report.js";
import { describeObject } from "./resource-identity.js";

/** JUnit's XML: a test case for each compared resource, which fails where it drifted. */
export function formatJunit(report: DriftReport): string {
  const { compared, drifted, pending } = report;
  const failures = new Map(drifted.map((resource) => [resource.urn, resource]));
  const counts = `tests="${compared.length}" failures="${drifted.length}" errors="0" skipped="0"`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pulumi-keyvault drift" ${counts}>`,
    `  <testsuite name="drift" ${counts}>`,
  ];
  for (const { urn, type, name } of compared) {
    const opening = `    <testcase classname="${attribute(type)}" name="${attribute(name)}"`;
    const failure = failures.get(urn);
    if (failure) lines.push(`${opening}>`, ...failureLines(failure), "    </testcase>");
    else lines.push(`${opening}/>`);
  }
  if (pending.length > 0) {
    const changes = pending.map(({ operation, type, name, properties }) =>
      `${operation} ${type} ${name} ${properties.join(", ")}`.trim(),
    );
    lines.push(`    <system-out>Pending changes, no drift: ${content(changes.join("; "))}</system-out>`);
  }
  lines.push("  </testsuite>", "</testsuites>");
  return `${lines.join("\n")}\n`;
}

function failureLines({ changes, object }: DriftedResource): string[] {
  const where = object ? ` of ${describeObject(object)}` : "";
  const told = changes.map(
    ({ property, recorded, observed, consequence }) =>
      `${property || "(object)"}: recorded ${recorded ?? "(none)"}, observed ${observed ?? "(none)"}; next up --refresh: ${consequence}`,
  );
  const message = `${counted(changes.length, "property", "properties")}${where} left the recorded state`;
  return [
    `      <failure type="drift" message="${attribute(message)}">${content(told.map(printable).join("\n"))}</failure>`,
  ];
}

function content(text: string): string {
  return withoutForbidden(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function attribute(text: string): string {
  return content(printable(text)).replaceAll('"', "&quot;");
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** XML 1.0 has no way to write most control characters, nor halves of surrogate pairs. */
function withoutForbidden(text: string): string {
  return text.replace(LONE_SURROGATE, "\ufffd").replace(FORBIDDEN, "\ufffd");
}
