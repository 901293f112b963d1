import { counted } from "../text/counted.js";
import { printable } from "../text/terminal-text.js";
import { xmlAttribute, xmlContent } from "../text/xml-text.js";
import type { DriftedResource, DriftReport, UnreadResource } from "./drift-report.js";
import { describeObject, type ResourceIdentity } from "./resource-identity.js";

/** JUnit's XML: a test case for each compared resource, which fails where it drifted; an error for each that was not read. */
export function formatJunit(report: DriftReport): string {
  const { compared, drifted, unread, failedStacks, pending } = report;
  const failures = new Map(drifted.map((resource) => [resource.urn, failureLines(resource)]));
  const tests = compared.length + unread.length + failedStacks.length;
  const errorCount = unread.length + failedStacks.length;
  const counts = `tests="${tests}" failures="${drifted.length}" errors="${errorCount}" skipped="0"`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pulumi-keyvault drift" ${counts}>`,
    `  <testsuite name="drift" ${counts}>`,
  ];
  for (const resource of compared) lines.push(...testCase(resource, resource.name, failures.get(resource.urn)));
  const isCompared = new Set(compared.map(({ urn }) => urn));
  for (const resource of unread) {
    // Of a set that was compared, one key.
    const name = isCompared.has(resource.urn)
      ? `${resource.name} ${resource.object?.name ?? ""}`.trim()
      : resource.name;
    lines.push(...testCase(resource, name, [errorLine(resource)]));
  }
  for (const { stack, reason } of failedStacks) {
    lines.push(
      `    <testcase classname="Stack" name="${xmlAttribute(stack)}">`,
      errorLine({ reason }),
      "    </testcase>",
    );
  }
  if (pending.length > 0) {
    const changes = pending.map(({ operation, type, name, stack, properties }) =>
      `${stack === undefined ? "" : `${stack}: `}${operation} ${type} ${name} ${properties.join(", ")}`.trim(),
    );
    lines.push(`    <system-out>Pending changes, no drift: ${xmlContent(printable(changes.join("; ")))}</system-out>`);
  }
  lines.push("  </testsuite>", "</testsuites>");
  return `${lines.join("\n")}\n`;
}

function testCase({ type, stack }: ResourceIdentity, name: string, told: string[] | undefined): string[] {
  const className = stack === undefined ? type : `${stack}.${type}`;
  const opening = `    <testcase classname="${xmlAttribute(className)}" name="${xmlAttribute(name)}"`;
  return told ? [`${opening}>`, ...told, "    </testcase>"] : [`${opening}/>`];
}

function failureLines({ changes, object }: DriftedResource): string[] {
  const where = object ? ` of ${describeObject(object)}` : "";
  const told = changes.map(
    ({ property, recorded, observed, consequence }) =>
      `${property || "(object)"}: recorded ${recorded ?? "(none)"}, observed ${observed ?? "(none)"}; next up --refresh: ${consequence}`,
  );
  const message = `${counted(changes.length, "property", "properties")}${where} left the recorded state`;
  return [
    `      <failure type="drift" message="${xmlAttribute(message)}">${xmlContent(told.map(printable).join("\n"))}</failure>`,
  ];
}

function errorLine({ reason }: Pick<UnreadResource, "reason">): string {
  return `      <error type="unread" message="could not be read">${xmlContent(printable(reason))}</error>`;
}
