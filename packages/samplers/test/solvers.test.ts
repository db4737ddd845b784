import { gaussian } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { ddim, ddpm, euler, heun, samplers } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
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
