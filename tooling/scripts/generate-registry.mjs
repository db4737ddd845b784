// Writes the registries of samplers, noise processes, spacings, loss weights and data sets from the files of their folders, so that a new
// one is one file and no list is edited by hand. `--check` writes nothing and fails when a list is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factoryNamed, optionsOf, parse } from './factory-options.mjs';
import { conclude, factoryName, formatted, moduleNames, root } from './lib.mjs';

/** The name is the file's; the factory is the one exported function that returns a value of the type. */
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
    folder: 'packages/metrics/src/metrics',
    type: 'Metric',
    imports: `import { createRegistry, type Registry } from '@langevin/core';\nimport type { Metric } from '../metric.ts';`,
    constant: 'metrics',
    kind: 'metric',
    says: 'Metrics by name, for command lines and plugins: one for each file of this folder.',
  },
];

/** What needs no factory, as its options come with each call: the value is the one exported constant of the type. */
const lists = [
  {
    folder: 'packages/io/src/data',
    type: 'DataPlugin',
    imports: `import type { DataPlugin } from '../sources/define-data.ts';`,
    constant: 'dataPlugins',
    says: 'The data sets that come with this package: one for each file of this folder.',
  },
];

const faults = [];
const counts = [];
for (const family of families) {
  const folder = join(root, family.folder);
  const names = moduleNames(folder);
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
export const ${family.constant}: Registry<${family.value ?? family.type}> = /* @__PURE__ */ createRegistry(
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
  const names = moduleNames(folder);
  const constants = new Map(names.map((name) => [name, constantOf(list, name)]));
  const target = join(folder, 'index.ts');
  const text = await formatted(
    target,
    `// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
${list.imports}
${names.map((name) => `import { ${constants.get(name)} } from './${name}.ts';`).join('\n')}

${names.map((name) => `export * from './${name}.ts';`).join('\n')}

/** ${list.says} */
export const ${list.constant}: readonly ${list.type}<never>[] = [${[...constants.values()].join(', ')}];
`,
  );
  writeIndex(list, { target, text, names });
}
conclude('registry', faults, counts.join('\n'));

function writeIndex({ folder, constant }, { target, text, names }) {
  const stale = !existsSync(target) || readFileSync(target, 'utf8') !== text;
  if (stale && process.argv.includes('--check'))
    faults.push(`${folder}/index.ts is not what the files beside it make. Run "node tooling/scripts/generate-registry.mjs".`);
  else if (stale) writeFileSync(target, text);
  counts.push(`${names.length} ${constant}: ${names.join(', ')}`);
}

/** The exported constant of a file that is of a type. */
function constantOf({ folder, type }, name) {
  const text = readFileSync(join(root, folder, `${name}.ts`), 'utf8');
  const found = [...text.matchAll(new RegExp(`^export const (\\w+): ${type}<`, 'gmu'))].map((match) => match[1]);
  if (found.length !== 1)
    faults.push(
      `${folder}/${name}.ts exports ${found.length} constants of ${type}. A file of that folder is one; shared parts live elsewhere.`,
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
function factoryOf({ folder, type }, name) {
  const text = readFileSync(join(root, folder, `${name}.ts`), 'utf8');
  const found = [...text.matchAll(new RegExp(`^export function (\\w+)\\([^\\n]*\\): ${type} \\{$`, 'gmu'))].map((match) => match[1]);
  const factory = found.find((each) => each === factoryName(name)) ?? found[0];
  if (factory === undefined)
    faults.push(
      `${folder}/${name}.ts exports no function that returns a ${type}. A file of that folder is one factory; shared parts live elsewhere.`,
    );
  return factory ?? factoryName(name);
}
