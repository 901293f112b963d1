import { counted } from "../text/counted.js";
import { printable } from "../text/terminal-text.js";
import { xmlAttribute, xmlContent } from "../text/xml-text.js";
import type { DriftedResource, DriftReport, UnreadResource } from "./drift-report.js";
import { describeObject } from "./resource-identity.js";

/** JUnit's XML: a test case for each compared resource, which fails where it drifted; an error for each that was not read. */
export function formatJunit(report: DriftReport): string {
  const { compared, drifted, unread, failedStacks, pending } = report;
  const failures = new Map(drifted.map((resource) => [resource.urn, failureLines(resource)]));
  const errors = new Map(unread.map((resource) => [resource.urn, [errorLine(resource)]]));
  const cases = [...compared, ...unread.filter(({ urn }) => !compared.some((each) => each.urn === urn))];
  const tests = cases.length + failedStacks.length;
  const errorCount = unread.length + failedStacks.length;
  const counts = `tests="${tests}" failures="${drifted.length}" errors="${errorCount}" skipped="0"`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pulumi-keyvault drift" ${counts}>`,
    `  <testsuite name="drift" ${counts}>`,
  ];
  for (const { urn, type, name, stack } of cases) {
    const className = stack === undefined ? type : `${stack}.${type}`;
    const opening = `    <testcase classname="${xmlAttribute(className)}" name="${xmlAttribute(name)}"`;
    const told = errors.get(urn) ?? failures.get(urn);
    if (told) lines.push(`${opening}>`, ...told, "    </testcase>");
    else lines.push(`${opening}/>`);
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
