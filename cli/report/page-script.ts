/**
 * Sorts and filters the table of objects. It runs in a browser and is text here: the page works without it, and the
 * controls that need it are hidden until it runs.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
  const form = document.querySelector("form");
  const table = document.querySelector("#objects");
  if (!form || !table) return;
  const body = table.tBodies[0];
  let rows = [...body.rows];
  const shown = document.querySelector("#shown");
  const fields = { text: form.elements.text, kind: form.elements.kind, vault: form.elements.vault, concern: form.elements.concern };
  const filter = () => {
    const text = fields.text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const { kind, vault, concerns } = row.dataset;
      const fits =
        (text === "" || row.textContent.toLowerCase().includes(text)) &&
        (fields.kind.value === "" || kind === fields.kind.value) &&
        (fields.vault.value === "" || vault === fields.vault.value) &&
        (fields.concern.value === "" || concerns.split("|").includes(fields.concern.value));
      row.hidden = !fits;
      if (fits) count += 1;
    }
    shown.textContent = count === rows.length ? rows.length + " shown" : count + " of " + rows.length + " shown";
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const each of headings) each.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.toLowerCase();
      const isNumber = heading.classList.contains("number");
      // Asked once of each row: asked in each comparison, 5,000 rows take many seconds.
      const keys = new Map(rows.map((row) => [row, key(row)]));
      const order = (a, b) => {
        const [left, right] = [keys.get(a), keys.get(b)];
        if (left === "" || right === "") return left === right ? 0 : left === "" ? 1 : -1;
        const difference = isNumber ? Number(left) - Number(right) : left < right ? -1 : left > right ? 1 : 0;
        return down ? -difference : difference;
      };
      rows = rows.sort(order);
      body.replaceChildren(...rows);
    });
  });
  form.hidden = false;
  filter();
})();
`;
