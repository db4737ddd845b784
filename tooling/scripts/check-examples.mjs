// Type-checks and runs every example: the ```ts fences of every package's README and of the root's, and every `@example` of a public
// package's doc comments, against the built packages, as a user who copied it would.
// `expr; // => value` (also on `const x = expr;` and `console.log(expr);`) is an assertion: see `matches` in examples/expect.mjs.
// `npm test -- examples` runs all; `node tooling/scripts/check-examples.mjs io nn` only those packages.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileExample, extractExamples } from './examples/compile.mjs';
import { extractDocExamples } from './examples/docstrings.mjs';
import { runAlone, runTogether } from './examples/run.mjs';
import { exportsOf, preludeOf } from './examples/scope.mjs';
import { exampleHost, typeFaults } from './examples/types.mjs';
import { conclude, publicPackages, root } from './lib.mjs';

const TIMEOUT_MS = 60_000;
/** One for each process, since two may be at work: someone's by hand, and that of `npm test`. */
const WORK = `.examples/${process.pid}`;
const EXPECT = pathToFileURL(join(root, 'tooling/scripts/examples/expect.mjs')).href;

const wanted = process.argv.slice(2);
const chosen = (name) => wanted.length === 0 || wanted.includes(name);
const packages = publicPackages();
const faults = [];
const known = [...packages.map(({ folder }) => folder.split('/')[1]), 'examples'];
for (const name of wanted)
  if (!known.includes(name)) faults.push(`no package of that name: ${name}. Give names without a folder: ${known.join(', ')}.`);
const broken = new Set();
const host = exampleHost(root);
const scratch = mkdtempSync(join(tmpdir(), 'langevin-examples-'));
const examples = [...readmeExamples(), ...docExamples()].map((example, id) => ({
  ...example,
  id,
  file: join(example.dir, WORK, `example-${id}.ts`),
}));
const folders = [...new Set(examples.map(({ dir }) => join(dir, WORK)))];
try {
  addPreludes();
  checkTypes();
  await runExamples();
} finally {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
    removeIfEmpty(dirname(folder));
  }
  rmSync(scratch, { recursive: true, force: true });
}
const skipped = examples.filter(({ notRun }) => notRun !== undefined);
for (const { where, notRun } of skipped) console.log(`[workspace/examples] ${where}: type-checked and not run: ${notRun}`);
const inDocs = examples.filter(({ kind }) => kind === 'doc').length;
conclude(
  'examples',
  faults,
  `${examples.length - inDocs} examples of READMEs and ${inDocs} of doc comments say the `
    + `truth${skipped.length > 0 ? `; ${skipped.length} of them were type-checked only` : ''}`,
);

/** Another process may have its own folder there. */
function removeIfEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code)) throw error;
  }
}

function readmeExamples() {
  const documents = [
    ...packages
      .filter(({ folder }) => chosen(folder.split('/')[1]))
      .map(({ folder, dir }) => ({ path: `${folder}/README.md`, dir, needed: true })),
    // Documents about several packages at once run where all of them are installed.
    ...['README.md', 'examples/README.md', 'docs/cookbook.md', 'docs/cookbook-pictures.md', 'docs/checkpoints.md']
      .filter(() => chosen('examples'))
      .map((path) => ({ path, dir: join(root, 'examples'), needed: false })),
  ];
  return documents.flatMap(({ path, dir, needed }) => {
    const found = extractExamples(existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '');
    if (found.length === 0 && needed) faults.push(`${path}: no runnable example. Add a \`\`\`ts fence that shows the package at work.`);
    return found.map((example) => ({ ...example, kind: 'readme', where: `${path}:${example.line}`, path, dir, prelude: '' }));
  });
}

function docExamples() {
  return packages
    .filter(({ folder }) => chosen(folder.split('/')[1]))
    .flatMap(({ folder, dir, manifest }) =>
      readdirSync(join(dir, 'src'), { recursive: true })
        .map(String)
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
        .sort()
        .flatMap((file) => {
          const path = `${folder}/src/${file}`;
          const { examples: found, faults: wrong } = extractDocExamples(path, readFileSync(join(root, path), 'utf8'));
          faults.push(...wrong.map((fault) => `${path}: ${fault}`));
          return found.map((example) => ({
            ...example,
            kind: 'doc',
            where: `${path}:${example.line}`,
            path,
            dir,
            manifest,
            module: file.slice(0, -'.ts'.length),
          }));
        }),
    );
}

/** In a doc comment, names of the package, of its entries and of the packages that it depends on need no import. */
function addPreludes() {
  const docs = examples.filter(({ kind }) => kind === 'doc');
  const entries = new Map(packages.map(({ dir, manifest }) => [manifest.name, entriesOf(dir, manifest)]));
  const own = ({ dir, module }) => join(dir, 'dist', `${module}.d.ts`);
  const program = host.program([...new Set([...docs.map(own), ...[...entries.values()].flat().map(({ types }) => types)])]);
  const names = new Map();
  const exported = (path) => names.get(path) ?? names.set(path, exportsOf(program, path)).get(path);
  for (const example of docs) {
    const { name, dependencies, devDependencies } = example.manifest;
    const visible = [name, ...Object.keys({ ...dependencies, ...devDependencies })].flatMap((member) => entries.get(member) ?? []);
    example.prelude = preludeOf(example.code, [
      ...visible.map(({ specifier, types }) => ({ specifier, names: exported(types) })),
      // Parts that are not public show themselves, too.
      { specifier: `../../dist/${example.module}.js`, names: exported(own(example)) },
    ]);
  }
}

function entriesOf(dir, manifest) {
  return Object.entries(manifest.exports)
    .filter(([entry, target]) => !entry.includes('*') && target !== null && typeof target === 'object')
    .map(([entry, target]) => ({ specifier: join(manifest.name, entry).replaceAll('\\', '/'), types: join(dir, typesOf(target)) }));
}

function typesOf(target) {
  return typeof target === 'string' ? target : typesOf(target.types ?? target.node ?? target.default);
}

/** What does not type-check is not run: it would only fail once more. */
function checkTypes() {
  // "export {}" makes a module of an example without imports, so that it may wait.
  for (const { file, prelude, code } of examples) host.texts.set(file, `${prelude}export {};${code}`);
  const byFile = new Map(examples.map((example) => [example.file, example]));
  const program = host.program([...byFile.keys()]);
  for (const { path, line, text } of typeFaults(program, [...byFile.keys()])) {
    const example = byFile.get(path);
    broken.add(example.id);
    faults.push(`${example.path}:${example.line + line - 1}: does not type-check: ${text}`);
  }
}

async function runExamples() {
  const compiled = examples
    .filter(({ id, notRun }) => notRun === undefined && !broken.has(id))
    .flatMap((example) => {
      const { code, faults: wrong } = compileExample(example, EXPECT);
      faults.push(...wrong.map((fault) => `${example.where}: ${fault}`));
      if (wrong.length > 0) return [];
      const file = example.file.replace(/\.ts$/u, '.mjs');
      const cwd = join(scratch, String(example.id));
      mkdirSync(join(example.dir, WORK), { recursive: true });
      mkdirSync(cwd);
      writeFileSync(file, code);
      return [{ ...example, file, url: pathToFileURL(file).href, cwd }];
    });
  const report = (example, error) =>
    faults.push(`${example.where}: the example failed: ${error.replaceAll(`${relative(root, example.dir)}/${WORK}/`, '')}`);

  const tensor = pathToFileURL(join(root, 'packages/tensor/dist/index.js')).href;
  const testing = pathToFileURL(join(root, 'packages/tensor/dist/testing/index.js')).href;
  const failed = await runTogether(
    compiled.filter(({ kind }) => kind === 'doc').map(({ id, url, cwd }) => ({ id, url, cwd })),
    { tensor, testing, timeoutMs: TIMEOUT_MS },
  );
  for (const [id, error] of failed) report(examples[id], error);

  // What a README prints stands alone: a process each, with nothing set up.
  const queue = compiled.filter(({ kind }) => kind === 'readme');
  const worker = async () => {
    for (let example = queue.shift(); example !== undefined; example = queue.shift()) {
      const error = await runAlone(example.file, { cwd: example.cwd, timeoutMs: TIMEOUT_MS });
      if (error !== undefined) report(example, error);
    }
  };
  await Promise.all([worker(), worker()]);
}
