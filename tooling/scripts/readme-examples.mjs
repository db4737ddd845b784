// Runs every ```ts example of every package's README, and of the root's, against the built packages, as a user who copied it would.
// `expr; // => value` (also on `const x = expr;` and `console.log(expr);`) is an assertion: see `matches` below.
// `npm test -- readme` runs all; `node tooling/scripts/readme-examples.mjs io nn` only those packages.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { conclude, publicPackages, root } from './lib.mjs';
import { compileExample, extractExamples } from './readme/compile.mjs';

const TIMEOUT_MS = 60_000;
const wanted = process.argv.slice(2);
const faults = [];
let ran = 0;
const chosen = (name) => wanted.length === 0 || wanted.includes(name);
const documents = [
  ...publicPackages().filter(({ folder }) => chosen(folder.split('/')[1])).map(({ folder, dir }) => ({ path: `${folder}/README.md`, dir, needed: true })),
  // Documents about several packages at once run where all of them are installed.
  ...['README.md', 'examples/README.md'].filter(() => chosen('examples')).map((path) => ({ path, dir: join(root, 'examples'), needed: false })),
];
for (const { path, dir, needed } of documents) {
  const text = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
  const examples = extractExamples(text);
  if (examples.length === 0 && needed) faults.push(`${path}: no runnable example. Add a \`\`\`ts fence that shows the package at work.`);
  for (const example of examples) {
    ran += 1;
    faults.push(...run(path, dir, example));
  }
}
conclude('readme', faults, `${ran} examples ran as printed`);

function run(path, dir, example) {
  const where = `${path}:${example.line}`;
  // Inside the package, so that its own name and its dependencies resolve as they do for its users.
  const work = join(dir, '.readme-examples');
  const scratch = mkdtempSync(join(tmpdir(), 'langevin-readme-'));
  try {
    const { code, faults: wrong } = compileExample(example, pathToFileURL(join(root, 'tooling/scripts/readme/expect.mjs')).href);
    if (wrong.length > 0) return wrong.map((fault) => `${where}: ${fault}`);
    mkdirSync(work, { recursive: true });
    const file = join(work, `line-${example.line}.mjs`);
    writeFileSync(file, code);
    const done = spawnSync(process.execPath, ['--no-warnings', file], { cwd: scratch, encoding: 'utf8', timeout: TIMEOUT_MS });
    if (done.status === 0) return [];
    const cause = done.error ? done.error.message : `exit=${done.status ?? done.signal}`;
    return [`${where}: the example failed: ${cause}\n${done.stderr || done.stdout}`];
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}
