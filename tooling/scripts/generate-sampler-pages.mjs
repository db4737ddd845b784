// Writes docs/samplers/<name>.md from the docstrings of packages/samplers/src/solvers, a page for each file. `--check` writes nothing and
// fails when a page is out of date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commentOf, factoryNamed, optionsOf, parse, tagsOf } from './factory-options.mjs';
import { conclude, factoryName, moduleNames, root } from './lib.mjs';

const sources = join(root, 'packages/samplers/src/solvers');
const pages = join(root, 'docs/samplers');
const check = process.argv.includes('--check');
const faults = [];

const wanted = new Map(moduleNames(sources).map((name) => [`${name}.md`, page(name)]));
mkdirSync(pages, { recursive: true });
for (const [file, text] of wanted) {
  const path = join(pages, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) faults.push(`docs/samplers/${file} is out of date. Run "node tooling/scripts/generate-sampler-pages.mjs".`);
  else writeFileSync(path, text);
}
for (const file of readdirSync(pages)) {
  if (wanted.has(file)) continue;
  if (check) faults.push(`docs/samplers/${file} has no sampler. Run "node tooling/scripts/generate-sampler-pages.mjs".`);
  else rmSync(join(pages, file));
}
conclude('sampler-pages', faults, `${wanted.size} pages`);

function page(name) {
  const source = parse(join(sources, `${name}.ts`));
  const factory = factoryNamed(factoryName(name), source);
  if (factory === undefined) {
    faults.push(
      `packages/samplers/src/solvers/${name}.ts exports no function ${factoryName(name)}. A sampler's factory has the name of its `
        + 'file in camel case.',
    );
    return '';
  }
  const options = optionsOf(factory, source);
  const throws = tagsOf(factory, 'throws');
  return [
    `<!-- Made by tooling/scripts/generate-sampler-pages.mjs from packages/samplers/src/solvers/${name}.ts. Do not edit. -->`,
    `# ${name}`,
    '',
    ...commentOf(factory).split('\n'),
    '',
    '```sh',
    `langevin sample --preset emoji --sampler ${name}`,
    '```',
    '',
    ...(options.length === 0
      ? ['It has no options.']
      : [
          '| option | type | default | |',
          '|---|---|---|---|',
          ...options.map(({ label, type, fallback, text }) => `| \`${label}\` | \`${cell(type)}\` | ${cell(fallback)} | ${cell(text)} |`),
        ]),
    '',
    ...(throws.length === 0 ? [] : [`Throws ${throws.join('; ')}.`, '']),
    `Source: [packages/samplers/src/solvers/${name}.ts](../../packages/samplers/src/solvers/${name}.ts). All samplers: `
      + '[docs/samplers.md](../samplers.md).',
    '',
  ].join('\n');
}

function cell(text) {
  return text.replace(/\s+/gu, ' ').replaceAll('|', String.raw`\|`);
}
