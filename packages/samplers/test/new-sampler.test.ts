import type { Sampler } from '@langevin/core';
import { samplerChecks } from '@langevin/samplers/testing';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const repository = resolve(import.meta.dirname, '../../..');
const copy = mkdtempSync(join(tmpdir(), 'langevin-new-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

for (const part of [
  '.prettierrc.json',
  'tooling/scripts',
  'packages/samplers/src',
  'packages/samplers/test/solvers.test.ts',
  'packages/core-schedules/src',
  // The other families that the generator of registries looks through.
  'packages/io/src/data',
  'packages/io/src/splats/formats',
  'packages/metrics/src/metrics',
  'packages/gaussians/src/deformations',
  'packages/gaussians/src/strategies',
  'packages/backbones/src',
  'packages/encoders/src',
  'packages/guidance/src/rules',
  'packages/latent-ae/src',
  'apps/cli/src/commands',
  'docs/samplers',
]) {
  cpSync(join(repository, part), join(copy, part), { recursive: true, filter: (path) => !path.endsWith('node_modules') });
}
symlinkSync(join(repository, 'tooling/scripts/node_modules'), join(copy, 'tooling/scripts/node_modules'));
symlinkSync(join(repository, 'packages/samplers/node_modules'), join(copy, 'packages/samplers/node_modules'));

const run = (...args: string[]) => spawnSync(process.execPath, [join(copy, 'tooling/scripts/new.mjs'), ...args], { encoding: 'utf8' });
const read = (path: string) => readFileSync(join(copy, path), 'utf8');

describe('npm run new -- sampler', () => {
  test('writes the file, the test line and the page, and the registry knows it', async () => {
    const { status, stdout, stderr } = run('sampler', 'my-method-2');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('packages/samplers/src/solvers/my-method-2.ts');
    expect(read('packages/samplers/test/solvers.test.ts')).toContain(
      "describe('my-method-2', () => testSampler(samplers.create('my-method-2'), { test, engines }));",
    );
    expect(read('packages/samplers/src/solvers/index.ts')).toContain("'my-method-2': myMethod2");
    expect(read('.changeset/sampler-my-method-2.md')).toContain("'@langevin/samplers': minor");
    expect(stdout).toContain('By hand: a row in docs/samplers.md');
    expect(read('docs/samplers/my-method-2.md')).toContain('langevin sample --preset emoji --sampler my-method-2');
    const { myMethod2 } = (await import(/* @vite-ignore */ join(copy, 'packages/samplers/src/solvers/my-method-2.ts'))) as {
      readonly myMethod2: (options?: object) => Sampler;
    };
    for (const { run: check } of samplerChecks(myMethod2(), { make: myMethod2 })) await check();
    expect(() => myMethod2({ strength: 2 })).toThrow(
      '[samplers/my-method-2] strength is out of range: strength=2. Pass 1 for the whole step.',
    );
  });

  test('overwrites nothing and refuses names that are none', () => {
    expect(run('sampler', 'euler')).toMatchObject({
      status: 2,
      stderr: '[workspace/new] there is a sampler of that name: file=packages/samplers/src/solvers/euler.ts. Choose another name.\n',
    });
    expect(run('sampler', 'My_Method').stderr).toContain('the name is not kebab-case: name=My_Method.');
    expect(run('engine', 'fast').stderr).toContain('usage: npm run new -- <sampler> <name>');
    expect(run('sampler').status).toBe(2);
  });
});

test('the pages of samplers are up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(repository, 'tooling/scripts/generate-sampler-pages.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
