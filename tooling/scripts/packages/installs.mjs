// What a user does who follows a README to the letter, and one who takes a newer release of a single package.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installLines } from '../checks/readme.mjs';
import { compileExample, extractExamples } from '../examples/compile.mjs';
import { runAlone } from '../examples/run.mjs';
import { readJson, root } from '../lib.mjs';
import { createProject } from './project.mjs';
import { pack } from './registry.mjs';

const EXPECT = pathToFileURL(join(root, 'tooling/scripts/examples/expect.mjs')).href;
const EXAMPLE_TIMEOUT_MS = 60_000;

/** pnpm gives a package what it names and nothing else, so what a README forgets is missed. Returns what went wrong. */
export async function readmeFaults({ folder, manifest, contents }, { home, registry }) {
  const project = createProject({ home, name: `pnpm-${folder.replace('/', '-')}`, registry });
  const readme = readFileSync(join(contents, 'README.md'), 'utf8');
  try {
    // "Where only the registry can be reached, and with pnpm, add --ignore-scripts", say those that need it.
    const flags = readme.includes('--ignore-scripts') ? ['--ignore-scripts'] : [];
    for (const { names } of installLines(readme)) await project.add(names, flags);
    for (const [name] of Object.entries(manifest.bin ?? {})) await project.run('pnpm', ['exec', name, '--help']);
    const [example] = extractExamples(readme);
    if (example === undefined) return [];
    const { code, faults } = compileExample(example, EXPECT);
    if (faults.length > 0) return faults.map((fault) => `${folder}/README.md: ${fault}`);
    const file = join(project.dir, 'example.mjs');
    writeFileSync(file, code);
    const error = await runAlone(file, { cwd: project.dir, timeoutMs: EXAMPLE_TIMEOUT_MS });
    return error === undefined ? [] : [`${folder}/README.md: the first example fails after its own install line: ${error}`];
  } catch (error) {
    return [`${folder}/README.md: the install line fails under pnpm: ${error.message}`];
  }
}

/** The same packages under another version, as a later release would have them. */
export async function release(packages, version, { home, registry }) {
  await Promise.all(
    packages.map(async ({ folder, contents, manifest: { version: before } }) => {
      const copy = join(home, 'releases', version, folder, 'package');
      mkdirSync(copy, { recursive: true });
      await cp(contents, copy, { recursive: true });
      const text = readFileSync(join(copy, 'package.json'), 'utf8');
      const manifest = JSON.parse(text.replaceAll(`"^${before}"`, `"^${version}"`));
      manifest.version = version;
      writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest));
      registry.publish(manifest, await pack(copy, join(home, 'releases', `${version}-${folder.replace('/', '-')}.tgz`)));
    }),
  );
}

/** Where a project holds tensor: more than one place, and tensors of one copy do not fit the functions of another. */
function copiesOf(name, { dir }) {
  return readdirSync(join(dir, 'node_modules'), { recursive: true })
    .map(String)
    .filter((path) => path.replaceAll('\\', '/').endsWith(`${name}/package.json`))
    .map((path) => `node_modules/${path} ${readJson(join(dir, 'node_modules', path)).version}`);
}

/** The one copy works: a network of one package takes the tensors of another, on the engine of a third. */
const PROGRAM = `import { linear } from '@langevin/nn';
import { denoisingLoss } from '@langevin/core-schedules';
import { samplers } from '@langevin/samplers';
import { numbers, ones, setDefaultEngine, torchGenerator } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

setDefaultEngine(referenceEngine());
const layer = linear({ inputs: 2, outputs: 1 });
const values = await numbers(layer.apply(layer.init(torchGenerator(0)), ones([3, 2])));
if (values.length !== 3 || !values.every(Number.isFinite)) throw new Error('linear gave ' + values);
if (typeof denoisingLoss !== 'function' || samplers.names.length === 0) throw new Error('exports are missing');
`;

/**
 * A user of npm has all libraries of one release and then takes a single one, a patch newer.
 *
 * @returns {Promise<string[]>} what goes wrong
 */
export async function newerPackageFaults(packages, { home, registry }) {
  const libraries = packages.filter(({ folder }) => folder.startsWith('packages/'));
  const project = createProject({ home, name: 'npm-newer', registry: registry.url });
  const faults = [];
  try {
    await release(libraries, '0.1.0', { home, registry });
    await project.run('npm', ['install', ...libraries.map(({ manifest }) => `${manifest.name}@0.1.0`)]);
    await release(libraries, '0.1.1', { home, registry });
    await project.run('npm', ['install', '@langevin/nn@0.1.1']);
  } catch (error) {
    return [`one package one patch newer: ${error.message}`];
  }
  const copies = copiesOf('@langevin/tensor', project);
  if (copies.length !== 1) faults.push(`one package one patch newer: ${copies.length} copies of @langevin/tensor: ${copies.join(', ')}.`);
  writeFileSync(join(project.dir, 'program.mjs'), PROGRAM);
  const error = await runAlone(join(project.dir, 'program.mjs'), { cwd: project.dir, timeoutMs: EXAMPLE_TIMEOUT_MS });
  if (error !== undefined) faults.push(`one package one patch newer: a program with all of them fails: ${error}`);
  return faults;
}
