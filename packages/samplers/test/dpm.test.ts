import { sigmaLevel } from '@langevin/core';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { dpmAdaptive, dpmFast, dpmFastLevels, dpmpp2m, dpmpp2s, dpmpp3m, dpmSolver, resMultistep } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
/** A step that ends clean is of first order. */
const stages = (order: number) => (steps: number) => order * (steps - 1) + 1;

describe('dpmpp-2m', () => testSampler(dpmpp2m(), { test, engines }));
describe('dpmpp-2m, heun', () => testSampler(dpmpp2m({ solverType: 'heun', lowerOrderFinal: 'last' }), { test }));
describe('dpmpp-2m, last steps of lower order in every run', () => testSampler(dpmpp2m({ lowerOrderFinal: 'always' }), { test }));
describe('dpmpp-3m', () => testSampler(dpmpp3m(), { test, engines }));
describe('dpmpp-3m, reference weights', () => testSampler(dpmpp3m({ weights: 'reference' }), { test }));
describe('dpmpp-2s', () => testSampler(dpmpp2s(), { test, engines, nfe: stages(2) }));
describe('dpmpp-2s, r 0.3', () => testSampler(dpmpp2s({ r: 0.3 }), { test, nfe: stages(2) }));
describe('dpm-solver-2', () => testSampler(dpmSolver(), { test, engines, nfe: stages(2) }));
describe('dpm-solver-2, heun', () => testSampler(dpmSolver({ solverType: 'heun' }), { test, nfe: stages(2) }));
describe('dpm-solver-3', () => testSampler(dpmSolver({ order: 3 }), { test, engines, nfe: stages(3) }));
describe('dpm-solver-3, heun', () => testSampler(dpmSolver({ order: 3, solverType: 'heun' }), { test, nfe: stages(3) }));
describe('dpm-solver++-3', () => testSampler(dpmSolver({ order: 3, prediction: 'x0' }), { test, nfe: stages(3) }));
describe('dpm-solver-2, multistep', () => testSampler(dpmSolver({ form: 'multistep' }), { test, engines }));
describe('dpm-solver-3, multistep', () => testSampler(dpmSolver({ form: 'multistep', order: 3 }), { test }));
describe('dpm-solver-2, blocks', () => testSampler(dpmSolver({ form: 'blocks' }), { test }));
describe('dpm-solver-2, blocks with noise', () => testSampler(dpmSolver({ form: 'blocks', prediction: 'x0', eta: 1 }), { test }));
describe('dpm-solver++-3, blocks', () => testSampler(dpmSolver({ form: 'blocks', order: 3, prediction: 'x0' }), { test, engines }));
/** Levels of its own, from sigma 14.6 to 0.03. */
const fastLevels = (evaluations: number) => dpmFastLevels({ from: sigmaLevel(14.6), to: sigmaLevel(0.03), evaluations });
describe('dpm-fast', () => testSampler(dpmFast(), { test, engines, levels: fastLevels }));
describe('dpm-fast with all of the noise', () => testSampler(dpmFast({ eta: 1 }), { test, levels: fastLevels }));
describe('dpm-adaptive-23', () => testSampler(dpmAdaptive(), { test, engines, nfe: 'any' }));
describe('dpm-fast with noise', () => testSampler(dpmFast({ eta: 0.7 }), { test, engines, accuracy: { kind: 'order', orHigher: true } }));
describe('dpm-adaptive-23 with noise', () => testSampler(dpmAdaptive({ eta: 0.5 }), { test, nfe: 'any' }));
describe('dpm-adaptive-12', () => testSampler(dpmAdaptive({ order: 2 }), { test, nfe: 'any' }));
describe('res-multistep', () => testSampler(resMultistep(), { test, engines }));
