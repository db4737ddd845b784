import type { Sampler } from '@langevin/core';
import { gaussian } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import * as factories from '@langevin/samplers';
import { ddim, ddpm, euler, heun, samplers } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { UserError } from '@langevin/tensor';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
const STRANGERS = [null, 1, 'x', [], true] as never[];
const camelCase = (name: string): string => name.replace(/-([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase());
const data = gaussian({ mean: [0.7], std: 0.3 });

describe('euler', () => testSampler(euler(), { test, engines }));
describe('ddim', () => testSampler(ddim(), { test, engines }));
describe('ddim, eta 0.5', () => testSampler(ddim({ eta: 0.5 }), { test, engines }));
describe('ddim, eta 1', () => testSampler(ddim({ eta: 1 }), { test, engines }));
describe('ddpm', () => testSampler(ddpm(), { test, engines }));
describe('ddpm, large variance', () => testSampler(ddpm({ variance: 'large' }), { test, engines }));
describe('ddpm, optimal variance', () => testSampler(ddpm({ variance: (at) => data.posteriorVariance(at) }), { test, engines }));
describe('heun', () => testSampler(heun(), { test, engines, nfe: (steps) => 2 * steps - 1 }));
describe('heun with churn', () =>
  testSampler(heun({ sChurn: 40, sTMin: 0.05, sTMax: 50 }), { test, engines, nfe: (steps) => 2 * steps - 1 }));

test.each(samplers.names)('%s is not made from options that are none, nor from unknown ones', (name) => {
  const factory = (factories as Readonly<Record<string, unknown>>)[camelCase(name)] as (options?: never) => Sampler;
  expect(factory().name).toBe(name);
  const names = samplers.optionsOf(name);
  if (names.length > 0) for (const given of STRANGERS) expect(() => factory(given)).toThrow(`[samplers/${name}] options are an object: `);
  for (const given of STRANGERS) expect(() => samplers.create(name, given)).toThrow(`[sampler/${name}] options are an object: `);
  // An option that is undefined is one that is not given.
  const nothing = Object.fromEntries(names.map((option) => [option, undefined]));
  expect(JSON.stringify(factory(nothing as never))).toBe(JSON.stringify(factory()));
  // Any option refuses what is of no kind that it takes.
  for (const option of names) expect(() => factory({ [option]: Symbol.iterator } as never), option).toThrow(UserError);
  for (const option of names) expect(() => factory({ [option]: null } as never), option).toThrow(UserError);
});

test('the registry names every file of the folder', () => {
  const files = readdirSync(new URL('../src/solvers/', import.meta.url))
    .filter((name) => name !== 'index.ts' && !name.endsWith('.test.ts'))
    .map((name) => name.replace('.ts', ''));
  expect(samplers.names).toEqual(files.sort());
  for (const name of files) expect(samplers.create(name).name).toBe(name);
  execFileSync(process.execPath, [fileURLToPath(new URL('../../../tooling/scripts/generate-registry.mjs', import.meta.url)), '--check'], {
    stdio: 'pipe',
  });
});
