// Writes docs/samplers/<name>.md from the docstrings of packages/samplers/src/solvers, a page for each file. `--check` writes nothing and
// fails when a page is out of date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { conclude, factoryName, moduleNames, root } from './lib.mjs';

const sources = join(root, 'packages/samplers/src/solvers');
const pages = join(root, 'docs/samplers');
const check = process.argv.includes('--check');
const faults = [];

const wanted = new Map(moduleNames(sources).map((name) => [`${name}.md`, page(name)]));
mkdirSync(pages, { recursive: true });
for (const [file, text] of wanted) {
  const path = join(pages, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) faults.push(`docs/samplers/${file} is out of date. Run "node tooling/scripts/generate-sampler-pages.mjs".`);
  else writeFileSync(path, text);
}
for (const file of readdirSync(pages)) {
  if (wanted.has(file)) continue;
  if (check) faults.push(`docs/samplers/${file} has no sampler. Run "node tooling/scripts/generate-sampler-pages.mjs".`);
  else rmSync(join(pages, file));
}
conclude('sampler-pages', faults, `${wanted.size} pages`);

function page(name) {
  const source = parse(join(sources, `${name}.ts`));
  const factory = source.statements.find((node) => ts.isFunctionDeclaration(node) && node.name?.text === factoryName(name));
  if (factory === undefined) {
    faults.push(`packages/samplers/src/solvers/${name}.ts exports no function ${factoryName(name)}. A sampler's factory has the name of its file in camel case.`);
    return '';
  }
  const optionsType = factory.parameters[0]?.type;
  const options = optionsType && ts.isTypeReferenceNode(optionsType) ? membersOf(optionsType.typeName.getText(source), source) : [];
  const throws = tagsOf(factory, 'throws');
  return [
    `<!-- Made by tooling/scripts/generate-sampler-pages.mjs from packages/samplers/src/solvers/${name}.ts. Do not edit. -->`,
    `# ${name}`,
    '',
    ...commentOf(factory).split('\n'),
    '',
    '```sh',
    `langevin sample --preset emoji --sampler ${name}`,
    '```',
    '',
    ...(options.length === 0
      ? ['It has no options.']
      : ['| option | type | default | |', '|---|---|---|---|', ...options.map(({ label, type, fallback, text }) => `| \`${label}\` | \`${cell(type)}\` | ${cell(fallback)} | ${cell(text)} |`)]),
    '',
    ...(throws.length === 0 ? [] : [`Throws ${throws.join('; ')}.`, '']),
    `Source: [packages/samplers/src/solvers/${name}.ts](../../packages/samplers/src/solvers/${name}.ts). All samplers: [docs/samplers.md](../samplers.md).`,
    '',
  ].join('\n');
}

/** The properties of an options type, with those that it extends, names again or joins, wherever these are declared. */
function membersOf(name, source) {
  const node = source.statements.find((each) => (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) && each.name.text === name);
  if (node === undefined) return importedMembersOf(name, source);
  if (ts.isTypeAliasDeclaration(node)) {
    const parts = ts.isIntersectionTypeNode(node.type) ? node.type.types : [node.type];
    return unique(parts.filter(ts.isTypeReferenceNode).flatMap((part) => membersOf(part.typeName.getText(source), source)));
  }
  const inherited = (node.heritageClauses ?? []).flatMap((clause) => clause.types.flatMap((base) => membersOf(base.expression.getText(source), source)));
  const own = node.members.filter(ts.isPropertySignature).map((member) => ({
    label: member.name.getText(source),
    type: literalsOf(member.type?.getText(source).replace(/\s+/gu, ' ') ?? 'unknown', source),
    fallback: tagsOf(member, 'default')[0] ?? '',
    text: commentOf(member).replace(/\s+/gu, ' '),
  }));
  return unique([...inherited, ...own]);
}

/** The properties of a type of another file of the package. */
function importedMembersOf(name, source) {
  const from = source.statements.filter(ts.isImportDeclaration).find(({ importClause }) => importClause?.namedBindings?.elements?.some((element) => element.name.text === name));
  if (from === undefined || !from.moduleSpecifier.text.startsWith('.')) return [];
  return membersOf(name, parse(join(dirname(source.fileName), from.moduleSpecifier.text)));
}

/** One row for each label: an own property takes the place of an inherited one. */
function unique(members) {
  return [...new Map(members.map((member) => [member.label, member])).values()];
}

function parse(path) {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** `(typeof KINDS)[number]` reads as the list it stands for. */
function literalsOf(type, source) {
  return type.replace(/\(typeof (\w+)\)\[number\]/gu, (whole, name) => {
    const list = source.statements.filter(ts.isVariableStatement).flatMap((node) => node.declarationList.declarations).find((node) => node.name.getText(source) === name)?.initializer;
    const array = list && ts.isAsExpression(list) ? list.expression : list;
    return array && ts.isArrayLiteralExpression(array) ? array.elements.map((element) => element.getText(source)).join(' | ') : whole;
  });
}

function docOf(node) {
  return ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
}

function commentOf(node) {
  return plain(docOf(node)?.comment).trim();
}

function tagsOf(node, name) {
  return (docOf(node)?.tags ?? []).filter((tag) => tag.tagName.text === name).map((tag) => `${tag.name?.getText?.() ?? ''} ${plain(tag.comment)}`.replace(/^\s*(?:UserError\s+)?/u, '').trim());
}

/** `{@link name}` reads as code. */
function plain(comment) {
  if (comment === undefined || typeof comment === 'string') return comment ?? '';
  return comment.map((part) => (ts.isJSDocLink(part) ? `\`${part.name?.getText() ?? part.text}\`` : part.text)).join('');
}

function cell(text) {
  return text.replace(/\s+/gu, ' ').replaceAll('|', String.raw`\|`);
}
