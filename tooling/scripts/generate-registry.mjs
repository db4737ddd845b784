// Writes packages/samplers/src/solvers/index.ts from the files of that folder, so that a new sampler is one file and no list is
// edited by hand. `--check` writes nothing and fails when the list is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, root } from './lib.mjs';

const folder = join(root, 'packages/samplers/src/solvers');
const target = join(folder, 'index.ts');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts' && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

/** dpmpp-2m.ts exports dpmpp2m. */
const factoryOf = (name) => name.replace(/-([a-z0-9])/gu, (_, letter) => letter.toUpperCase());

const entries = names.map((name) => (name === factoryOf(name) ? name : `'${name}': ${factoryOf(name)}`));
const text = `// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core-schedules';
import type { Sampler } from '../sampler.ts';
${names.map((name) => `import { ${factoryOf(name)} } from './${name}.ts';`).join('\n')}

${names.map((name) => `export * from './${name}.ts';`).join('\n')}

/** Samplers by name, for command lines and plugins: one for each file of this folder. */
export const samplers: Registry<Sampler> = /* @__PURE__ */ createRegistry('sampler', { ${entries.join(', ')} });
`;

const stale = readFileSync(target, 'utf8') !== text;
if (stale && !process.argv.includes('--check')) writeFileSync(target, text);
conclude('registry', stale && process.argv.includes('--check') ? ['packages/samplers/src/solvers/index.ts does not name the files beside it. Run "node tooling/scripts/generate-registry.mjs".'] : [], `${names.length} samplers: ${names.join(', ')}`);
