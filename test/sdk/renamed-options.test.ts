import { expect, it } from "vitest";
import { renamedOptions } from "../../sdk/renamed-options.js";

it.each([
  [["import"], ["thumbprint"]],
  [
    ["import.pem", 'import["file"]', '["import"].env'],
    ["thumbprint", "thumbprint", "thumbprint"],
  ],
  [
    ["imports", "tags.import", "tags"],
    ["imports", "tags.import", "tags"],
  ],
  [["*"], ["*"]],
])("properties %j of a program are %j in state", (named, recorded) => {
  const options = { ignoreChanges: named, replaceOnChanges: named, protect: true };
  expect(renamedOptions(options, "import", "thumbprint")).toEqual({
    ignoreChanges: recorded,
    replaceOnChanges: recorded,
    protect: true,
  });
});
