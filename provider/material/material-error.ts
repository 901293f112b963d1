/**
 * Key material that cannot be imported, with every reason at once.
 *
 * Neither the problems nor the message, stack or cause hold any part of the material: errors of the parsers underneath
 * are never chained, because some of them print the value that they refuse.
 */
export class MaterialError extends Error {
  override readonly name = "MaterialError";
  readonly code = "KV_INVALID_KEY_MATERIAL";
  /** One sentence per problem: what was found and what to do. */
  readonly problems: readonly string[];
  readonly subject: string;

  /** @param subject What holds the material, for example `file "signing.pem"`. Never the material itself. */
  constructor(problems: readonly string[], subject = "the key material") {
    super(`${subject} cannot be imported: ${problems.join("; ")}`);
    this.problems = problems;
    this.subject = subject;
  }

  /** The same problems, told of the place that the material came from. */
  of(subject: string): MaterialError {
    return new MaterialError(this.problems, subject);
  }
}
