// Every package has the same skeleton, so that whoever knows one knows all; documents link to files that exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDependencyFaults } from '../eslint-config/src/layers.js';
import { linkFaults, mapFaults } from './checks/documents.mjs';
import { manifestFaults, passedOnFaults } from './checks/manifest.mjs';
import { installFaults } from './checks/readme.mjs';
import { conclude, membersOf, MIN_TYPESCRIPT, publishedMembers, readJson, root } from './lib.mjs';

const FILES = ['README.md', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'src/index.ts'];
const SOURCE_CONDITION = '@langevin/source';

const packages = membersOf('packages');
const apps = membersOf('apps');
const published = publishedMembers();
const faults = [
  ...packages.flatMap(skeletonFaults),
  ...findDependencyFaults([...packages, ...apps].map(({ manifest }) => manifest)),
  ...published.flatMap(manifestFaults),
  ...passedOnFaults(published),
  ...published.flatMap(readmeFaults),
  ...packages.flatMap(widthFaults),
  ...linkFaults(published.map(({ folder }) => folder)),
  ...mapFaults(packages),
  ...changesetFaults(),
];
conclude(
  'skeleton',
  faults,
  `${packages.length} packages share one skeleton, ${published.length} are ready to be published, links are whole`,
);

function skeletonFaults({ folder, dir, manifest }) {
  const found = [];
  const demand = (holds, message) => void (holds || found.push(`${folder}: ${message}`));
  for (const file of FILES) demand(existsSync(join(dir, file)), `${file} is missing. Every package has one.`);
  demand(hasTest(join(dir, 'test')) || hasTest(join(dir, 'src')), 'no *.test.ts in test/ or src/. A package proves what it does.');
  demand(manifest.name === `@langevin/${folder.split('/')[1]}`, `name=${manifest.name} is not the folder's.`);
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

/** Kernels are in a language that neither prettier nor eslint reads. */
function widthFaults({ folder, dir }) {
  const kernels = join(dir, 'assembly');
  if (!existsSync(kernels)) return [];
  return readdirSync(kernels).flatMap((name) =>
    readFileSync(join(kernels, name), 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        line.length > 140 ? [`${folder}/assembly/${name}:${i + 1}: a line of ${line.length} columns. Wrap it at 140.`] : [],
      ),
  );
}

function readmeFaults({ folder, dir, manifest }) {
  const path = join(dir, 'README.md');
  if (!existsSync(path)) return [];
  const readme = readFileSync(path, 'utf8');
  const faults = installFaults(readme, manifest);
  if (folder.startsWith('packages/') && !readme.includes(`TypeScript ${MIN_TYPESCRIPT} or newer`))
    faults.push(`README.md does not say for which TypeScript its types are: "TypeScript ${MIN_TYPESCRIPT} or newer".`);
  return faults.map((fault) => `${folder}: ${fault}`);
}

/** All packages have one version, so that any that a user installs fit together; each must have a note for its first release. */
function changesetFaults() {
  const folder = join(root, '.changeset');
  if (!existsSync(folder)) return ['.changeset is missing.'];
  const { fixed } = readJson(join(folder, 'config.json'));
  const faults = JSON.stringify(fixed) === '[["@langevin/*"]]' ? [] : ['.changeset/config.json: fixed must be [["@langevin/*"]].'];
  const named = readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => readFileSync(join(folder, name), 'utf8').split('---')[1] ?? '')
    .join('\n');
  return [
    ...faults,
    ...published
      .filter(({ manifest }) => manifest.version === '0.0.0' && !named.includes(`'${manifest.name}'`))
      .map(({ manifest }) => `${manifest.name}: version 0.0.0 and in no changeset. Add it with "npm run changeset".`),
  ];
}
