// `npm run new -- sampler <name>`: writes the file, the test line and the doc page of a new sampler that already passes the conformance
// kit, and brings the registry up to date. What is there is never overwritten.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factoryName, formatted, root } from './lib.mjs';

const KINDS = { sampler: newSampler };

await main(process.argv.slice(2));

async function main([kind, name, ...rest]) {
  if (!Object.hasOwn(KINDS, kind ?? '') || rest.length > 0 || name === undefined)
    stop(
      `usage: npm run new -- <${Object.keys(KINDS).join('|')}> <name>, for example "npm run new -- sampler my-method"; got `
        + `"${[kind, name, ...rest].filter(Boolean).join(' ')}".`,
    );
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(name))
    stop(`the name is not kebab-case: name=${name}. Use small letters, digits and single hyphens, such as my-method-2.`);
  await KINDS[kind](name);
}

async function newSampler(name) {
  const file = `packages/samplers/src/solvers/${name}.ts`;
  if (existsSync(join(root, file))) stop(`there is a sampler of that name: file=${file}. Choose another name.`);
  const tests = 'packages/samplers/test/solvers.test.ts';
  const before = readFileSync(join(root, tests), 'utf8');
  const marker = "\ntest('the registry names every file of the folder'";
  if (!before.includes(marker))
    stop(`the place for the test line was not found: file=${tests}. Restore the test of the registry at its end.`);

  writeFileSync(join(root, file), await formatted(file, template(name)));
  writeFileSync(
    join(root, tests),
    before.replace(marker, `describe('${name}', () => testSampler(samplers.create('${name}'), { test, engines }));\n${marker}`),
  );
  const changeset = `.changeset/sampler-${name}.md`;
  mkdirSync(join(root, '.changeset'), { recursive: true });
  writeFileSync(join(root, changeset), `---\n'@langevin/samplers': minor\n---\n\nA sampler more: \`${name}\`.\n`);
  for (const script of ['generate-registry.mjs', 'generate-sampler-pages.mjs']) {
    const done = spawnSync(process.execPath, [join(root, 'tooling/scripts', script)], { stdio: 'inherit' });
    if (done.status !== 0) stop(`a generator failed: script=${script}, exit=${done.status}. See the lines above.`);
  }
  console.log(`[workspace/new] wrote
  ${file}
      the rule: a copy of Euler's, to be changed
  ${tests}
      one more line, which runs the conformance kit on it
  ${changeset}
      the note for users
  docs/samplers/${name}.md
      its page, made from the docstring; after changes run "node tooling/scripts/generate-sampler-pages.mjs"
and brought packages/samplers/src/solvers/index.ts up to date, which lists all samplers.
By hand: a row in docs/samplers.md, with order, evaluations, source and what it is good for.
Next: npx vitest run ${tests} -t '${name}'; docs/adding-a-sampler.md says what a step may do.`);
}

/** Euler's rule under another name: it passes the kit, so that every later failure is news. */
function template(name) {
  const factory = factoryName(name);
  const type = `${factory[0].toUpperCase()}${factory.slice(1)}Options`;
  return `import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';

export interface ${type} {
  /** What it does, its range and unit. @default 1, and why */
  readonly strength?: number;
}

/**
 * What the method does in a sentence (authors year, arXiv:0000.00000, eq. 0). In the units of the paper:
 * x' = alpha' (D + (s' / s) (x / alpha - D)) with s = sigma / alpha.
 *
 * @throws UserError when strength is outside 0..1
 * @example
 * ${factory}().order; // => 1
 */
export function ${factory}(options: ${type} = {}): Sampler {
  const { strength = 1 } = readOptions('samplers/${name}', options);
  checkNumber('samplers/${name}', { strength }, { atLeast: 0, atMost: 1, advice: 'Pass 1 for the whole step.' });
  return defineSampler({
    name: '${name}',
    order: 1,
    stochastic: false,
    paper: 'arXiv:0000.00000',
    step: async ({ x, from, to, denoise, algebra }) => {
      const denoised = await denoise(x, from);
      const ratio = (to.sigma * from.alpha) / (to.alpha * from.sigma);
      return { x: algebra.linear([to.sigma / from.sigma, x], [strength * to.alpha * (1 - ratio), denoised]), denoised };
    },
  });
}
`;
}

function stop(message) {
  console.error(`[workspace/new] ${message}`);
  process.exit(2);
}
