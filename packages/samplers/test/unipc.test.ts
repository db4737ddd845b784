import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { unipc } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];

describe('unipc-1', () => testSampler(unipc({ order: 1 }), { test }));
describe('unipc-1, bh1', () => testSampler(unipc({ order: 1, variant: 'bh1' }), { test }));
describe('unipc-2', () => testSampler(unipc(), { test, engines }));
describe('unipc-2, bh1', () => testSampler(unipc({ variant: 'bh1' }), { test, engines }));
describe('unipc-2, epsilon', () => testSampler(unipc({ prediction: 'epsilon' }), { test, engines }));
describe('unipc-3', () => testSampler(unipc({ order: 3 }), { test }));
// Runs of any length then have the same kinds of steps.
describe('unipc-3, last steps of order 3', () => testSampler(unipc({ order: 3, lowerOrderFinal: 'clean' }), { test, engines }));
describe('unipc-3, epsilon, bh1', () => testSampler(unipc({ order: 3, prediction: 'epsilon', variant: 'bh1' }), { test }));
describe('unip-2', () => testSampler(unipc({ corrector: 'never' }), { test }));
describe('unip-3', () => testSampler(unipc({ order: 3, corrector: 'never' }), { test }));
describe('unipc-2, some steps uncorrected', () => testSampler(unipc({ corrector: { except: [0, 1] } }), { test }));
