// Type-checks examples, all in one program, against the declarations that users get.
import ts from 'typescript';

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

/** A host that parses each file once, however many programs read it, and sees `texts` as files. */
export function exampleHost(root) {
  const host = ts.createCompilerHost(OPTIONS, true);
  const texts = new Map();
  const parsed = new Map();
  const { fileExists, readFile, getSourceFile } = host;
  host.getCurrentDirectory = () => root;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path))
      parsed.set(path, texts.has(path) ? ts.createSourceFile(path, texts.get(path), rest[0], true) : getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  return { texts, program: (roots) => ts.createProgram(roots, OPTIONS, host) };
}

/** @returns {{ path: string, line: number, text: string }[]} what the compiler finds in the files given, lines counted from 1 */
export function typeFaults(program, paths) {
  return paths.flatMap((path) => {
    const file = program.getSourceFile(path);
    return ts
      .sortAndDeduplicateDiagnostics([...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
      .map((diagnostic) => ({
        path,
        line: file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1,
        text: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
      }));
  });
}
