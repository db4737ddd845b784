// The options of factories, read from their sources: for the registries, which refuse others, and for the pages of samplers.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** The function of a file that has the name. */
export function factoryNamed(name, source) {
  return source.statements.find((node) => ts.isFunctionDeclaration(node) && node.name?.text === name);
}

/** What the first argument of a factory may hold: label, type, default and text of each option. Throws where its type cannot be read. */
export function optionsOf(factory, source) {
  const type = factory.parameters[0]?.type;
  if (type === undefined) return [];
  const found = ts.isTypeReferenceNode(type)
    ? membersOf(type.typeName.getText(source), source)
    : ts.isTypeLiteralNode(type)
      ? ownMembersOf(type, source)
      : [];
  if (found.length === 0)
    throw new Error(
      `${source.fileName}: no options are found in the type ${type.getText(source)}. Declare them in an interface of the package.`,
    );
  return found;
}

/** The properties of an options type, with those that it extends, names again or joins, wherever these are declared. */
function membersOf(name, source) {
  const node = source.statements.find(
    (each) => (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) && each.name.text === name,
  );
  if (node === undefined) return importedMembersOf(name, source);
  if (ts.isTypeAliasDeclaration(node)) {
    const parts = ts.isIntersectionTypeNode(node.type) ? node.type.types : [node.type];
    return unique(parts.filter(ts.isTypeReferenceNode).flatMap((part) => membersOf(part.typeName.getText(source), source)));
  }
  const inherited = (node.heritageClauses ?? []).flatMap((clause) =>
    clause.types.flatMap((base) => membersOf(base.expression.getText(source), source)),
  );
  return unique([...inherited, ...ownMembersOf(node, source)]);
}

function ownMembersOf(node, source) {
  return node.members.filter(ts.isPropertySignature).map((member) => ({
    label: member.name.getText(source),
    type: literalsOf(member.type?.getText(source).replace(/\s+/gu, ' ') ?? 'unknown', source),
    fallback: tagsOf(member, 'default')[0] ?? '',
    text: commentOf(member).replace(/\s+/gu, ' '),
  }));
}

/** The properties of a type of another file of the package. */
function importedMembersOf(name, source) {
  const from = source.statements
    .filter(ts.isImportDeclaration)
    .find(({ importClause }) => importClause?.namedBindings?.elements?.some((element) => element.name.text === name));
  if (from === undefined || !from.moduleSpecifier.text.startsWith('.')) return [];
  return membersOf(name, parse(join(dirname(source.fileName), from.moduleSpecifier.text)));
}

/** One row for each label: an own property takes the place of an inherited one. */
function unique(members) {
  return [...new Map(members.map((member) => [member.label, member])).values()];
}

export function parse(path) {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** `(typeof KINDS)[number]` reads as the list it stands for. */
function literalsOf(type, source) {
  return type.replace(/\(typeof (\w+)\)\[number\]/gu, (whole, name) => {
    const list = source.statements
      .filter(ts.isVariableStatement)
      .flatMap((node) => node.declarationList.declarations)
      .find((node) => node.name.getText(source) === name)?.initializer;
    const array = list && ts.isAsExpression(list) ? list.expression : list;
    return array && ts.isArrayLiteralExpression(array) ? array.elements.map((element) => element.getText(source)).join(' | ') : whole;
  });
}

function docOf(node) {
  return ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
}

export function commentOf(node) {
  return plain(docOf(node)?.comment).trim();
}

export function tagsOf(node, name) {
  return (docOf(node)?.tags ?? [])
    .filter((tag) => tag.tagName.text === name)
    .map((tag) => `${tag.name?.getText?.() ?? ''} ${plain(tag.comment)}`.replace(/^\s*(?:UserError\s+)?/u, '').trim());
}

/** `{@link name}` reads as code. */
function plain(comment) {
  if (comment === undefined || typeof comment === 'string') return comment ?? '';
  return comment.map((part) => (ts.isJSDocLink(part) ? `\`${part.name?.getText() ?? part.text}\`` : part.text)).join('');
}
