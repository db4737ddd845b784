// Writes the registry of each family of plugins from the files of its folder, so that a new one is one file, or one folder, and no list is
// edited by hand. `--check` writes nothing and fails when a list is out of date; `--root <folder>` works on another copy of the workspace.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { factoryNamed, optionsOf, parse } from './factory-options.mjs';
import { conclude, factoryName, formatted, moduleNames, root as workspace } from './lib.mjs';

const rootAt = process.argv.indexOf('--root');
const root = rootAt < 0 ? workspace : resolve(process.argv[rootAt + 1]);

/**
 * The name is the file's; the factory is the one exported function that returns a value of the type. A file that has none is a fault,
 * unless `others` says that shared parts lie beside them.
 */
const families = [
  {
    folder: 'packages/samplers/src/solvers',
    type: 'Sampler',
    imports: `import { createRegistry, type Registry, type Sampler } from '@langevin/core';`,
    constant: 'samplers',
    kind: 'sampler',
    says: 'Samplers by name, for command lines and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/core-schedules/src/processes',
    type: '(?:Discrete)?NoiseProcess',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { NoiseProcess } from '../noise-process.ts';`,
    constant: 'processes',
    value: 'NoiseProcess',
    kind: 'process',
    says: 'Noise processes by name, for command lines and configuration files: one for each file of this folder.',
  },
  {
    folder: 'packages/core-schedules/src/spacings',
    type: 'Spacing',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Spacing } from '../grid/spacing.ts';`,
    constant: 'spacings',
    kind: 'spacing',
    says: 'Spacings by name, for command lines and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/core-schedules/src/weights',
    type: 'LossWeight',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { LossWeight } from '../loss-weight.ts';`,
    constant: 'lossWeights',
    kind: 'loss weight',
    says: 'Loss weights by name, for command lines and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/core-schedules/src/distributions',
    type: 'NoiseDistribution',
    imports: `import { createRegistry, type Registry } from '@langevin/core';
import type { NoiseDistribution } from '../noise-distribution.ts';`,
    constant: 'noiseDistributions',
    kind: 'distribution of levels',
    says: 'Distributions of noise levels by name, for configuration files and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/core-schedules/src/preconditionings',
    type: 'Preconditioning',
    imports: `import { createRegistry, type Registry } from '@langevin/core';
import type { Preconditioning } from '../preconditioning.ts';`,
    constant: 'preconditionings',
    kind: 'preconditioning',
    says: 'Preconditionings by name, for configuration files and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/guidance/src/rules',
    type: 'Guidance',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Guidance } from '../guidance.ts';`,
    constant: 'guidanceRules',
    kind: 'guidance',
    says: 'Rules of guidance by name, for command lines and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/metrics/src/metrics',
    type: 'Metric',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Metric } from '../metric.ts';`,
    constant: 'metrics',
    kind: 'metric',
    says: 'Metrics by name, for command lines and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/gaussians/src/strategies',
    type: 'Strategy',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Strategy } from './strategy.ts';`,
    constant: 'strategies',
    kind: 'strategy',
    says: 'Strategies by name, for command lines and plugins: one for each file of this folder that makes one.',
    others: 'shared parts',
  },
  {
    folder: 'packages/gaussians/src/deformations',
    type: 'Deformation<\\w+>',
    imports: `import { createRegistry, type Registry } from '@langevin/core';
import type { Deformation } from '../dynamic/deformation.ts';`,
    constant: 'deformations',
    value: 'Deformation<unknown>',
    kind: 'deformation',
    says: 'Deformations by name, for command lines, files and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/latent-ae/src/regularisers',
    type: 'Regulariser',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Regulariser } from '../regulariser.ts';`,
    constant: 'regularisers',
    kind: 'regulariser',
    says: 'Regularisers of latents by name, for configuration files and plugins: one for each file of this folder.',
  },
  {
    folder: 'packages/latent-ae/src/losses',
    type: 'ReconstructionLoss',
    imports: `import { createRegistry, type Registry } from '@langevin/core';
import type { ReconstructionLoss } from '../reconstruction-loss.ts';`,
    constant: 'reconstructionLosses',
    kind: 'reconstruction loss',
    says: 'Losses of reconstructions by name, for configuration files and plugins: one for each file of this folder.',
  },
];

/**
 * What needs no factory, as its options come with each call: the value is the one exported constant of the type. `members` are the
 * files of the folder, unless it says otherwise, and `plugin` is the file of a folder that holds the value. `public: 'no'` keeps the
 * rest that a member exports inside of the package.
 */
const lists = [
  {
    folder: 'packages/io/src/data',
    type: 'DataPlugin',
    value: 'DataPlugin<never>',
    imports: `import type { DataPlugin } from '../sources/define-data.ts';`,
    constant: 'dataPlugins',
    says: 'The data sets that come with this package: one for each file of this folder.',
  },
  {
    folder: 'packages/io/src/splats/formats',
    type: 'SplatFormat',
    imports: `import type { SplatFormat } from '../format.ts';`,
    constant: 'knownFormats',
    says: 'The formats that come with this package: one for each file of this folder.',
    public: 'no',
  },
  {
    folder: 'packages/backbones/src',
    type: 'BackbonePlugin',
    members: 'folders',
    plugin: 'plugin.ts',
    target: 'plugins.ts',
    imports: `import type { BackbonePlugin } from './define-backbone.ts';`,
    constant: 'backbonePlugins',
    says: 'The backbones that come with this package: one for each folder beside this file.',
  },
  {
    folder: 'packages/backbones/src/steering',
    type: 'SteeringPlugin',
    members: 'folders',
    plugin: 'plugin.ts',
    target: 'plugins.ts',
    imports: `import type { SteeringPlugin } from './define-steering.ts';`,
    constant: 'steeringPlugins',
    says: 'The steering networks that come with this package: one for each folder beside this file.',
  },
  {
    folder: 'packages/encoders/src',
    type: 'EncoderPlugin',
    members: 'folders',
    plugin: 'plugin.ts',
    target: 'plugins.ts',
    imports: `import type { EncoderPlugin } from './define-encoder.ts';`,
    constant: 'encoderPlugins',
    says: 'The encoders that come with this package: one for each folder beside this file.',
  },
  {
    folder: 'packages/latent-ae/src',
    type: 'AutoencoderPlugin',
    members: 'folders',
    plugin: 'plugin.ts',
    target: 'plugins.ts',
    imports: `import type { AutoencoderPlugin } from './define-autoencoder.ts';`,
    constant: 'autoencoderPlugins',
    says: 'The autoencoders that come with this package: one for each folder beside this file.',
  },
  {
    folder: 'apps/cli/src/commands',
    type: 'CliCommand',
    members: 'files and folders',
    plugin: 'index.ts',
    imports: `import type { CliCommand } from '../define-command.ts';`,
    constant: 'commands',
    says: 'The commands of the program: one for each file or folder beside this one.',
    public: 'no',
  },
];

const faults = [];
const counts = [];
for (const family of families) {
  const folder = join(root, family.folder);
  const names = moduleNames(folder).filter((name) => family.others === undefined || factoriesIn(family, name).length > 0);
  const factories = new Map(names.map((name) => [name, factoryOf(family, name)]));
  const entries = names.map((name) => (name === factories.get(name) ? name : `${keyOf(name)}: ${factories.get(name)}`));
  const options = names.map(
    (name) =>
      `${keyOf(name)}: [${optionNames(folder, name, factories.get(name))
        .map((option) => `'${option}'`)
        .join(', ')}]`,
  );
  const target = join(folder, 'index.ts');
  const text = await formatted(
    target,
    `// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
${family.imports}
${names.map((name) => `import { ${factories.get(name)} } from './${name}.ts';`).join('\n')}

${names.map((name) => `export * from './${name}.ts';`).join('\n')}

/** ${family.says} */
export const ${family.constant}: Registry<${family.value ?? family.type}> = /* @__PURE__ */ createRegistry${typeOf(family)}(
  '${family.kind}',
  { ${entries.join(', ')} },
  { ${options.join(', ')} },
);
`,
  );
  writeIndex(family, { target, text, names });
}
for (const list of lists) {
  const folder = join(root, list.folder);
  const names = membersOf(list);
  const constants = new Map(names.map(({ name, file }) => [name, constantOf(list, { name, file })]));
  const entries = list.value ?? list.type;
  const target = join(folder, list.target ?? 'index.ts');
  const text = await formatted(
    target,
    `// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
${list.imports}
${names.map(({ name, file }) => `import { ${constants.get(name)} } from './${file}';`).join('\n')}

${list.public === 'no' ? '' : names.map(({ entry }) => `export * from './${entry}';`).join('\n')}

/** ${list.says} */
export const ${list.constant}: readonly ${entries}[] = [${[...constants.values()].join(', ')}];
`,
  );
  writeIndex(list, { target, text, names: names.map(({ name }) => name) });
}
conclude('registry', faults, counts.join('\n'));

/** Factories of several types make a registry of what these have in common. */
function typeOf({ value }) {
  return value === undefined ? '' : `<${value}>`;
}

function writeIndex({ folder, constant, target: file = 'index.ts' }, { target, text, names }) {
  const stale = !existsSync(target) || readFileSync(target, 'utf8') !== text;
  if (stale && process.argv.includes('--check'))
    faults.push(`${folder}/${file} is not what the files beside it make. Run "node tooling/scripts/generate-registry.mjs".`);
  else if (stale) writeFileSync(target, text);
  counts.push(`${names.length} ${constant}: ${names.join(', ')}`);
}

/** Members of a list: its files, and its folders where these hold one; each with the file of its value and that of all it exports. */
function membersOf({ folder, plugin, members = 'files' }) {
  const files =
    members === 'folders' ? [] : moduleNames(join(root, folder)).map((name) => ({ name, file: `${name}.ts`, entry: `${name}.ts` }));
  if (members === 'files') return files;
  const folders = readdirSync(join(root, folder), { withFileTypes: true })
    .filter((each) => each.isDirectory() && existsSync(join(root, folder, each.name, plugin)))
    .map(({ name }) => ({ name, file: `${name}/${plugin}`, entry: `${name}/index.ts` }));
  return [...files, ...folders].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The exported constant of a file that is of a type. */
function constantOf({ folder, type }, { name, file }) {
  const text = readFileSync(join(root, folder, file), 'utf8');
  const found = [...text.matchAll(new RegExp(`^export const (\\w+): ${type}\\b`, 'gmu'))].map((match) => match[1]);
  if (found.length !== 1)
    faults.push(
      `${folder}/${file} exports ${found.length} constants of ${type}. A file of that folder is one; shared parts live elsewhere.`,
    );
  return found[0] ?? factoryName(name);
}

function keyOf(name) {
  return /^[a-z0-9]+$/u.test(name) ? name : `'${name}'`;
}

/** What the factory of a file may be given, so that the registry refuses the rest. */
function optionNames(folder, name, factory) {
  const source = parse(join(folder, `${name}.ts`));
  const declared = factoryNamed(factory, source);
  return declared === undefined ? [] : optionsOf(declared, source).map(({ label }) => label);
}

/** The exported function of a file that makes what its family is of; the one named like the file, where there are several. */
function factoryOf(family, name) {
  const { folder, type } = family;
  const found = factoriesIn(family, name);
  const factory = found.find((each) => each === factoryName(name)) ?? found[0];
  if (factory === undefined)
    faults.push(
      `${folder}/${name}.ts exports no function that returns a ${type}. A file of that folder is one factory; shared parts live elsewhere.`,
    );
  return factory ?? factoryName(name);
}

function factoriesIn({ folder, type }, name) {
  const text = readFileSync(join(root, folder, `${name}.ts`), 'utf8');
  return [...text.matchAll(new RegExp(`^export function (\\w+)\\([^\\n]*\\): ${type} \\{$`, 'gmu'))].map((match) => match[1]);
}
