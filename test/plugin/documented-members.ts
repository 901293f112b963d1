import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const root = join(__dirname, "../..");

/** The members of the interfaces, type aliases and classes of a source file, each with the text of its JSDoc. */
export function documentedMembers(file: string): Map<string, Map<string, string[]>> {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true);
  const owners = new Map<string, Map<string, string[]>>();
  const visit = (node: ts.Node, owner: string): void => {
    const isOwner = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node);
    const inner = isOwner ? (node.name?.text ?? owner) : owner;
    if (ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) || ts.isGetAccessor(node)) {
      const members = owners.get(inner) ?? new Map<string, string[]>();
      owners.set(inner, members);
      const name = node.name.getText(source);
      const isRefused = "type" in node && node.type?.getText(source) === "undefined";
      if (!isRefused) members.set(name, [...(members.get(name) ?? []), textOf(node)]);
      // What a member is made of has a type of its own.
      return;
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(source, "");
  return owners;
}

function textOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return (ts.getTextOfJSDocComment(doc?.comment) ?? "").replace(/\s+/g, " ").trim();
}
