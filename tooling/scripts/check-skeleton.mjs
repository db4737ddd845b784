// Every package has the same skeleton, so that whoever knows one knows all; documents link to files that exist.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findDependencyFaults } from '../eslint-config/src/layers.js';
import { conclude, membersOf, root } from './lib.mjs';

const FILES = ['README.md', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'src/index.ts'];
const SOURCE_CONDITION = '@langevin/source';

const packages = membersOf('packages');
const apps = membersOf('apps');
const faults = [
  ...packages.flatMap(skeletonFaults),
  ...findDependencyFaults([...packages, ...apps].map(({ manifest }) => manifest)),
  ...linkFaults(),
  ...mapFaults(),
  ...changesetFaults(),
];
conclude('skeleton', faults, `${packages.length} packages share one skeleton, ${apps.length} apps, links are whole`);

function skeletonFaults({ folder, dir, manifest }) {
  const found = [];
  const demand = (holds, message) => void (holds || found.push(`${folder}: ${message}`));
  for (const file of FILES) demand(existsSync(join(dir, file)), `${file} is missing. Every package has one.`);
  demand(hasTest(join(dir, 'test')) || hasTest(join(dir, 'src')), 'no *.test.ts in test/ or src/. A package proves what it does.');
  demand(manifest.name === `@langevin/${folder.split('/')[1]}`, `name=${manifest.name} is not the folder's.`);
  demand(manifest.type === 'module', `type=${manifest.type}. Packages are ESM only: "module".`);
  demand(manifest.sideEffects === false, `sideEffects=${manifest.sideEffects}. It must be false; no import registers anything.`);
  demand(manifest.license === 'MIT', `license=${manifest.license}. It must be "MIT".`);
  demand(
    typeof manifest.description === 'string' && manifest.description.length >= 20,
    `description=${manifest.description}. Say in one sentence what the package is for.`,
  );
  demand(manifest.engines?.node === '>=20.19', `engines.node=${manifest.engines?.node}. It must be ">=20.19".`);
  demand(
    ['dist', 'README.md'].every((file) => manifest.files?.includes(file)),
    'files must list dist and README.md.',
  );
  demand(manifest.exports?.['.'] !== undefined, 'exports has no "." entry.');
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) exportFaults(entry, target, dir, demand);

  const readme = join(dir, 'README.md');
  if (existsSync(readme)) {
    const first = readFileSync(readme, 'utf8')
      .split('\n')
      .find((line) => line.trim() !== '' && !line.startsWith('#'));
    demand(
      /^(?!```)[^\s>|<!].{19}/u.test(first ?? ''),
      `README.md says what the package is for in its first line of text: "${first ?? ''}".`,
    );
  }
  return found;
}

function exportFaults(entry, target, dir, demand) {
  if (target === null || entry === './package.json') return;
  const branches = typeof target === 'object' ? flatten(target) : undefined;
  demand(branches !== undefined, `exports["${entry}"] must name ${SOURCE_CONDITION}, types and default.`);
  if (branches === undefined) return;
  for (const { path, conditions } of branches) {
    if (!conditions.includes(SOURCE_CONDITION)) continue;
    demand(path.includes('*') || existsSync(join(dir, path)), `exports["${entry}"] names ${path}, which does not exist.`);
  }
  const named = branches.flatMap(({ conditions }) => conditions);
  for (const condition of [SOURCE_CONDITION, 'types', 'default'])
    demand(named.includes(condition), `exports["${entry}"] lacks the condition "${condition}".`);
}

/** All (conditions -> path) leaves of a conditional export. */
function flatten(target, conditions = []) {
  if (typeof target === 'string') return [{ path: target, conditions }];
  return Object.entries(target ?? {}).flatMap(([condition, inner]) => flatten(inner, [...conditions, condition]));
}

function hasTest(folder) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith('.test.ts'));
}

/** Relative links and images of every document must lead to a file of the checkout. */
function linkFaults() {
  return documents().flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8')
      .replaceAll(/```[\s\S]*?```/gu, '')
      .replaceAll(/`[^`\n]*`/gu, '');
    const links = [...text.matchAll(/\]\(([^()\s]+)(?:\s"[^"]*")?\)/gu)].map((match) => match[1]);
    return links
      .filter((link) => !/^(?:[a-z]+:|#)/iu.test(link))
      .map((link) => decodeURI(link.split('#')[0]))
      .filter((link) => !existsSync(resolve(root, dirname(path), link)))
      .map((link) => `${path}: links to ${link}, which does not exist.`);
  });
}

/** The map of the documents names every document, and every room of every package in that package's row. */
function mapFaults() {
  const path = 'docs/README.md';
  const map = readFileSync(join(root, path), 'utf8');
  const unnamed = documents()
    .filter((file) => /^docs\/(?:decisions\/)?[^/]+\.md$/u.test(file) && file !== path)
    .filter((file) => !map.includes(`](${file.slice('docs/'.length)})`))
    .map((file) => `${path}: does not link to ${file}. Say there what it is about.`);
  const rooms = packages.flatMap(({ folder, dir }) => {
    const row = map.split('\n').find((line) => line.startsWith('|') && line.includes(`](../${folder}/README.md)`));
    if (row === undefined) return [`${path}: has no row for ${folder}. Say there what its rooms are.`];
    return readdirSync(join(dir, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !row.includes(`\`${entry.name}/\``))
      .map(({ name }) => `${path}: the row of ${folder} does not name src/${name}/. Say there what it holds.`);
  });
  return [...unnamed, ...rooms];
}

/** Markdown files that git knows or would add; without git (an unpacked archive), those outside installed and built folders. */
function documents() {
  try {
    const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.md'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return list.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
  } catch {
    return readdirSync(root, { recursive: true })
      .map(String)
      .filter(
        (path) => path.endsWith('.md') && !/(?:^|[\\/])(?:node_modules|dist|\.git)[\\/]/u.test(path) && statSync(join(root, path)).isFile(),
      );
  }
}

/** A package that was never released must be named by a changeset, or its first release would be forgotten. */
function changesetFaults() {
  const folder = join(root, '.changeset');
  if (!existsSync(folder)) return ['.changeset is missing.'];
  const named = readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => readFileSync(join(folder, name), 'utf8').split('---')[1] ?? '')
    .join('\n');
  return packages
    .filter(({ manifest }) => manifest.private !== true && manifest.version === '0.0.0' && !named.includes(`'${manifest.name}'`))
    .map(({ manifest }) => `${manifest.name}: version 0.0.0 and in no changeset. Add it with "npm run changeset".`);
}
