// Packs every public package as it would be published, looks into the tarballs, and lets users have them: who follow a README to the
// letter, who update one package of several, who check types, who make a page.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { conclude, publicPackages, publishedMembers } from './lib.mjs';
import { newerPackageFaults, readmeFaults } from './packages/installs.mjs';
import { packAll } from './packages/pack.mjs';
import { PAGE_PACKAGES, pageFaults } from './packages/pages.mjs';
import { createProject } from './packages/project.mjs';
import { startRegistry } from './packages/registry.mjs';
import { tarballFaults } from './packages/tarball-faults.mjs';

const COMPILERS = ['typescript-oldest', 'typescript'];
const TYPES = fileURLToPath(new URL('packages/types.mjs', import.meta.url));

const unbuilt = publicPackages().filter(({ dir }) => !existsSync(join(dir, 'dist', 'index.js')));
const faults = unbuilt.map(({ folder }) => `${folder}: dist/index.js is missing. Run "npm test -- build" first.`);
if (unbuilt.length === 0) {
  const home = mkdtempSync(join(tmpdir(), 'langevin-packages-'));
  const registry = await startRegistry();
  try {
    await checkAll(home, registry);
  } finally {
    registry.close();
    rmSync(home, { recursive: true, force: true });
  }
}
conclude(
  'packages',
  faults,
  `${publishedMembers().length} tarballs are as they should be, and their users can install, compile and run them`,
);

async function checkAll(home, registry) {
  const packages = await timed('packed', async () => packAll(home));
  for (const { manifest, tarball } of packages) registry.publish(manifest, tarball);
  const user = { home, registry: registry.url };
  await timed('publint and attw', async () => {
    for (const each of packages) faults.push(...(await tarballFaults(each)));
  });
  await timed('READMEs followed to the letter', () => inTurns(packages, (each) => readmeFaults(each, user)));
  await timed('types and pages', async () => {
    const project = await pageProject(packages, user);
    await Promise.all([inTurns(COMPILERS, (compiler) => compilerFaults(compiler, packages, project)), pages(project)]);
  });
  await timed('one package newer than the others', async () => {
    faults.push(...(await newerPackageFaults(packages, { home, registry })));
  });
}

/** Everything that is imported by name, beside what pages need. */
async function pageProject(packages, user) {
  const project = createProject({ ...user, name: 'pages' });
  const names = [...packages.filter(({ folder }) => folder.startsWith('packages/')).map(({ manifest }) => manifest.name), '@types/node'];
  await project.add([...new Set([...names, ...PAGE_PACKAGES])]);
  return project;
}

async function compilerFaults(compiler, packages, project) {
  const entries = packages.flatMap(({ manifest }) =>
    Object.entries(manifest.exports ?? {})
      .filter(([entry, target]) => target !== null && !entry.includes('*'))
      .map(([entry]) => `${manifest.name}${entry.slice(1)}`),
  );
  const { stdout } = await promisify(execFile)(process.execPath, [TYPES, compiler, project.dir, JSON.stringify(entries)]);
  return stdout.split('\n').filter((line) => line !== '');
}

async function pages(project) {
  const { faults: found, skipped } = await pageFaults(project);
  if (skipped !== undefined) console.log(`[workspace/packages] skipped: ${skipped}`);
  faults.push(...found);
}

/** Two at a time, as there are two cores. */
async function inTurns(items, check) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) faults.push(...(await check(item)));
  };
  await Promise.all([worker(), worker()]);
}

async function timed(what, work) {
  const start = performance.now();
  const result = await work();
  console.log(`[workspace/packages] ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}
