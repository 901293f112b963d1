import { describeText } from "../../provider/engine/described-value.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "./home-path.js";

/**
 * The path of what a command is to write. A file system takes nearly any text for a name, a private key in several lines
 * among them: it would be made, and its name shown.
 *
 * @throws CliError `KV_USAGE`
 */
export function writtenPath(path: string): string {
  if (!/\p{Cc}/u.test(path)) return homePath(path);
  throw new CliError(
    "KV_USAGE",
    `a path has no control characters, and ${describeText(path)} stands in the place of one: name a file or a folder`,
  );
}
