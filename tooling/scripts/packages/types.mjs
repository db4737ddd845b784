// Programs of users who check what they import, declarations included: in Node and in a page, with the oldest TypeScript that we name and
// with ours. It is a script of its own, so that compilers work beside everything else: `node types.mjs <compiler> <project> <entries>`.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';

const [compiler, project, entries] = process.argv.slice(2);
const ts = createRequire(import.meta.url)(compiler);
const shared = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, target: ts.ScriptTarget.ES2022 };

/** Where a program is for decides which globals it knows. */
const PLACES = {
  node: {
    entries: () => true,
    options: {
      ...shared,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      types: ['node'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
    },
  },
  page: {
    entries: (entry) => !entry.endsWith('/node'),
    options: {
      ...shared,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    },
  },
};

for (const [place, { entries: wanted, options }] of Object.entries(PLACES)) {
  const chosen = JSON.parse(entries).filter(wanted);
  const file = join(project, `types-${place}-${ts.versionMajorMinor}.ts`);
  const names = chosen.map((entry, i) => `import * as entry${i} from '${entry}';`);
  writeFileSync(file, `${names.join('\n')}\nexport const all: readonly object[] = [${chosen.map((_, i) => `entry${i}`).join(', ')}];\n`);
  for (const diagnostic of ts.getPreEmitDiagnostics(ts.createProgram([file], options))) {
    const at = diagnostic.file === undefined ? '' : `${relative(project, diagnostic.file.fileName).replaceAll(sep, '/')}: `;
    console.log(`TypeScript ${ts.version}, ${place}: ${at}${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n').split('\n')[0]}`);
  }
}
