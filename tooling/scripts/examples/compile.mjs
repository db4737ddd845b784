// Turns an example into a module that asserts what its comments claim.
import ts from 'typescript';

/** Node prints a typed array as "Float32Array [1, 2]"; what stands before the bracket is a claim of its own, see expect.mjs. */
const TYPED_ARRAY = /^(?:Big)?(?:Float|Int|Uint)\d+(?:Clamped)?Array (?=\[)/u;

/** First line of an example that only some machines can run: "// not run: needs a browser". */
const NOT_RUN = /^\/\/ not run: (\S.*)$/u;

/** Why an example cannot run everywhere; undefined when it can. */
export function notRunBecause(code) {
  return NOT_RUN.exec(code.slice(0, `${code}\n`.indexOf('\n')))?.[1];
}

/**
 * All ```ts fences of a document. Other languages (sh, json, text) are left alone.
 *
 * @returns {{ line: number, code: string, notRun?: string }[]} `line` is that of the first line of code, counted from 1; `notRun` is the
 *   reason of an example that says it cannot run everywhere
 */
export function extractExamples(markdown) {
  const examples = [];
  const fence = /^```(?:ts|typescript)[^\S\n]*\n([\s\S]*?)^```[^\S\n]*$/gmu;
  for (const match of markdown.matchAll(fence)) {
    const line = markdown.slice(0, match.index).split('\n').length + 1;
    const notRun = notRunBecause(match[1]);
    examples.push({ line, code: match[1], ...(notRun === undefined ? {} : { notRun }) });
  }
  return examples;
}

/**
 * @param {{ line: number, code: string, prelude?: string }} example `prelude` is put in front of the first line
 * @param {string} expectUrl where the compiled module finds `check`
 * @returns {{ code: string, faults: string[] }} an ES module; `faults` names claims that cannot be checked, syntax errors included
 */
export function compileExample({ line, code, prelude = '' }, expectUrl) {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const claims = new Map();
  for (const match of code.matchAll(/\/\/ =>[^\S\n]*(.*)$/gmu)) claims.set(match.index, match[1].trim());

  const inserts = [];
  for (const statement of file.statements) {
    for (const comment of ts.getTrailingCommentRanges(code, statement.end) ?? []) {
      const claim = claims.get(comment.pos);
      if (claim === undefined) continue;
      const subject = subjectOf(statement, file);
      if (subject === undefined) continue;
      claims.delete(comment.pos);
      const at = line + file.getLineAndCharacterOfPosition(comment.pos).line;
      inserts.push({ statement, ...subject, claim, at });
    }
  }
  const faults = [...claims.keys()].map(
    (position) =>
      `line ${line + file.getLineAndCharacterOfPosition(position).line}: "// =>" stands behind nothing that has a value; put it `
      + 'behind "expr;", "const x = expr;" or "console.log(expr);".',
  );

  let checked = code;
  for (const { statement, expression, replaces, claim, at } of inserts.toReversed()) {
    const call = `__check(${expression}, (${claim.replace(TYPED_ARRAY, '')}), ${JSON.stringify(claim)}, ${at});`;
    const from = replaces ? statement.getStart(file) : statement.end;
    checked = `${checked.slice(0, from)}${replaces ? '' : ' '}${call}${checked.slice(statement.end)}`;
  }
  const { outputText, diagnostics } = ts.transpileModule(`${prelude}${checked}`, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  for (const diagnostic of diagnostics ?? []) faults.push(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
  return { code: `import { check as __check } from ${JSON.stringify(expectUrl)}; ${outputText}`, faults };
}

/** What a statement's claim is about: the value of the expression, of the declared name, or of what is logged. */
function subjectOf(statement, file) {
  if (ts.isExpressionStatement(statement)) {
    const { expression } = statement;
    const logged =
      ts.isCallExpression(expression) && expression.expression.getText(file) === 'console.log' && expression.arguments.length === 1;
    return { expression: (logged ? expression.arguments[0] : expression).getText(file), replaces: true };
  }
  const declaration = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : undefined;
  return declaration !== undefined && ts.isIdentifier(declaration.name)
    ? { expression: declaration.name.text, replaces: false }
    : undefined;
}
