import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { deis, dpm2, gradientEstimation, heunpp2, ipndm, ipndmV, lms, pndm } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
/** A step that ends clean is of first order. */
const stages = (order: number) => (steps: number) => order * (steps - 1) + 1;

describe('deis, order 4', () => testSampler(deis(), { test, engines }));
for (const order of [1, 2, 3] as const) describe(`deis, order ${order}`, () => testSampler(deis({ order }), { test }));
describe('deis, rho AB, order 4', () => testSampler(deis({ form: 'rho-ab' }), { test }));
describe('deis, log rho, order 3', () => testSampler(deis({ form: 'log-rho', order: 3, lowerOrderFinal: 'few' }), { test, engines }));
describe('deis, rho RK 2', () => testSampler(deis({ form: 'rho-rk2' }), { test, nfe: stages(2) }));
describe('deis, rho RK 3', () => testSampler(deis({ form: 'rho-rk3' }), { test, nfe: stages(3) }));
describe('deis, rho RK 4', () => testSampler(deis({ form: 'rho-rk4' }), { test, engines, nfe: stages(4) }));
describe('pndm, s', () => testSampler(pndm({ form: 's' }), { test, nfe: (steps) => (steps > 1 ? steps + 1 : 1) }));
describe('pndm, f', () =>
  testSampler(pndm({ form: 'f' }), { test, engines, nfe: (steps) => (steps > 3 ? steps + 9 : steps > 1 ? steps + 1 : 1) }));
describe('pndm, plms', () => testSampler(pndm(), { test, engines, nfe: (steps) => (steps > 1 ? steps + 1 : 1) }));
describe('ipndm', () => testSampler(ipndm(), { test, engines }));
describe('ipndm-v', () => testSampler(ipndmV(), { test, engines }));
describe('lms', () => testSampler(lms(), { test, engines }));
describe('lms, order 2', () => testSampler(lms({ order: 2 }), { test }));
describe('gradient-estimation', () => testSampler(gradientEstimation(), { test, engines }));
describe('gradient-estimation, gamma 1.5', () => testSampler(gradientEstimation({ gamma: 1.5 }), { test }));
describe('dpm-2', () => testSampler(dpm2(), { test, engines, nfe: stages(2) }));
describe('heunpp2', () => testSampler(heunpp2(), { test, engines, nfe: (steps) => [0, 1, 3][steps] ?? 3 * (steps - 2) + 3 }));
