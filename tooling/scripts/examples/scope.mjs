// Which names an example may use without importing them, and the import that stands for them.
import ts from 'typescript';

/**
 * All names that modules export, types included.
 *
 * @param {ts.Program} program
 * @param {string} path a declaration file of the program
 * @returns {Map<string, boolean>} name -> whether it has a value at run time
 */
export function exportsOf(program, path) {
  const file = program.getSourceFile(path);
  const checker = program.getTypeChecker();
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  if (symbol === undefined) return new Map();
  return new Map(
    checker.getExportsOfModule(symbol).map((entry) => {
      const target = entry.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(entry) : entry;
      return [entry.name, (target.flags & ts.SymbolFlags.Value) !== 0];
    }),
  );
}

/**
 * The imports that an example leaves out, on one line, so that its own lines keep their numbers.
 *
 * @param {string} code
 * @param {{ specifier: string, names: Map<string, boolean> }[]} modules the first that exports a name gives it
 */
export function preludeOf(code, modules) {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const own = declaredAtTop(file);
  const wanted = new Map();
  for (const name of namesIn(file)) {
    if (own.has(name)) continue;
    const source = modules.find(({ names }) => names.has(name));
    if (source === undefined) continue;
    const list = wanted.get(source.specifier) ?? [];
    list.push(source.names.get(name) ? name : `type ${name}`);
    wanted.set(source.specifier, list);
  }
  return [...wanted].map(([specifier, names]) => `import { ${names.sort().join(', ')} } from ${JSON.stringify(specifier)}; `).join('');
}

/** Every identifier that could refer to something: not what stands behind a dot or in front of a colon. */
function namesIn(file) {
  const names = new Set();
  const visit = (node) => {
    if (ts.isIdentifier(node) && !isLabel(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function isLabel(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent))
    return parent.name === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  return ts.isMethodDeclaration(parent);
}

/** What the example itself declares or imports, where an import of ours would be a second declaration. */
function declaredAtTop(file) {
  const names = new Set();
  const bind = (name) => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) bind(element.name);
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) bind(name);
    else if (ts.isImportDeclaration(statement)) {
      const { name, namedBindings } = statement.importClause ?? {};
      if (name !== undefined) bind(name);
      if (namedBindings !== undefined && ts.isNamespaceImport(namedBindings)) bind(namedBindings.name);
      else for (const element of namedBindings?.elements ?? []) bind(element.name);
    } else if (statement.name !== undefined) bind(statement.name);
  }
  return names;
}
