/** The text of a terminal picture, line by line, as it was printed. */
export function pictureText(svg: string): string {
  const lines = [...svg.matchAll(/<text class="line"[^>]*>(.*?)<\/text>/gs)].map(([, line = ""]) =>
    [...line.matchAll(/<tspan data-at="(\d+)"[^>]*>([^<]*)<\/tspan>/g)].reduce(
      (text, [, at = "0", part = ""]) => text.padEnd(Number(at)) + unescaped(part),
      "",
    ),
  );
  return lines.join("\n");
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
