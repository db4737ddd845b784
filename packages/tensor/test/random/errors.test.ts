import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import {
  brownianTree,
  counterGenerator,
  generatorFromState,
  philoxGenerator,
  seedSequence,
  torchGenerator,
} from '../../src/random/index.ts';

function expectUserError(run: () => unknown, message: string | RegExp): void {
  expect(run).toThrow(UserError);
  expect(run).toThrow(message);
}

const generators = [torchGenerator(0), philoxGenerator(0), counterGenerator({ seed: 0, stream: [] })];

describe.each(generators.map((generator) => [generator.kind, generator] as const))('%s', (_kind, generator) => {
  it.each([-1, 1.5, NaN, Infinity, 2 ** 31 + 1])('rejects a count of %d and does not move', (count) => {
    const before = generator.state();
    for (const draw of ['uniform', 'uniform64', 'normal', 'normal64'] as const) {
      expectUserError(() => generator[draw](count), `[tensor/random] count must be an integer in 0..2147483648: count=${count}.`);
    }
    expectUserError(() => generator.integers(count, { low: 0, high: 2 }), `count=${count}`);
    expectUserError(() => generator.permutation(count), `n=${count}`);
    expect(generator.state()).toEqual(before);
  });

  it('rejects ranges that hold no int32', () => {
    expectUserError(() => generator.integers(1, { low: 3, high: 3 }), 'low must be below high: low=3, high=3');
    expectUserError(() => generator.integers(1, { low: 4, high: 3 }), 'low=4, high=3');
    expectUserError(() => generator.integers(1, { low: 0.5, high: 3 }), 'low=0.5');
    expectUserError(() => generator.integers(1, { low: -(2 ** 31) - 1, high: 3 }), 'low=-2147483649');
    expectUserError(() => generator.integers(1, { low: 0, high: 2 ** 31 + 1 }), 'high=2147483649');
  });
});

it.each([1.5, NaN, 2 ** 53, 1n << 64n, -(1n << 63n) - 1n, '7' as unknown as number])('rejects the seed %s', (seed) => {
  expectUserError(() => torchGenerator(seed), 'seed must');
  expectUserError(() => philoxGenerator(seed), 'seed must');
  expectUserError(() => counterGenerator({ seed, stream: [] }), 'seed must');
});

it('rejects bad streams and positions', () => {
  expectUserError(() => counterGenerator({ seed: 0, stream: [1, -1] }), 'stream[1] must be an integer');
  expectUserError(() => counterGenerator({ seed: 0, stream: new Array<number>(65).fill(0) }), 'at most 64 integers: stream=an array of 65');
  expectUserError(() => counterGenerator({ seed: 0, stream: [] }).at(-1), 'position=-1');
});

describe('malformed states', () => {
  const torch = torchGenerator(0).state();
  const philox = philoxGenerator(0).state();
  const counter = counterGenerator({ seed: 0, stream: [] }).state();
  const zeros = 'A'.repeat(3328);
  it.each<readonly [string, unknown, string]>([
    ['null', null, 'state must be an object: state=null'],
    ['an array', [], 'state must be an object'],
    ['text', 'torch', 'state must be an object: state="torch"'],
    ['no kind', {}, 'state.kind is unknown: state.kind=undefined'],
    ['an unknown kind', { kind: 'pcg' }, 'state.kind="pcg"'],
    ['missing words', { ...torch, words: undefined }, 'state.words must be base64'],
    ['short words', { ...torch, words: 'AAAA' }, 'state.words="AAAA"'],
    ['words not base64', { ...torch, words: '!'.repeat(3328) }, 'state.words must be base64'],
    ['zero words', { ...torch, words: zeros }, 'state.words are all zero'],
    ['position 625', { ...torch, position: 625 }, 'state.position must be an integer in 0..624: state.position=625'],
    ['missing position', { ...torch, position: undefined }, 'state.position=undefined'],
    ['cache as text', { ...torch, cachedNormal: '1' }, 'state.cachedNormal="1"'],
    ['cache missing', { ...torch, cachedNormal: undefined }, 'state.cachedNormal=undefined'],
    ['philox seed as number', { ...philox, seed: 0 }, 'state.seed must be the decimal digits'],
    ['philox seed of 65 bits', { ...philox, seed: '18446744073709551616' }, 'state.seed="18446744073709551616"'],
    ['philox offset', { ...philox, offset: -1 }, 'state.offset=-1'],
    ['counter stream', { ...counter, stream: 'x' }, 'stream="x"'],
    ['counter stream entry', { ...counter, stream: [0.5] }, 'stream[0]=0.5'],
    ['counter position', { ...counter, position: 0.5 }, 'state.position=0.5'],
  ])('%s', (_name, state, message) => {
    expectUserError(() => generatorFromState(state), message);
  });
});

it('seedSequence rejects what numpy rejects, and sizes without bound', () => {
  expectUserError(() => seedSequence(-1, { words: 1 }), 'entropy must hold integers >= 0: got -1');
  expectUserError(() => seedSequence(0.5, { words: 1 }), 'got 0.5');
  expectUserError(() => seedSequence(0, { words: 0 }), 'words=0');
  expectUserError(() => seedSequence(0, { words: 1, poolSize: 3 }), 'poolSize=3');
  expectUserError(() => seedSequence(0, { words: 1, spawnKey: [-2n] }), 'spawnKey must hold integers >= 0: got -2n');
  expectUserError(() => seedSequence(new Array<number>(4097).fill(1), { words: 1 }), 'entropy must fit in 4096 words');
});

it('Brownian trees reject empty intervals and times outside', () => {
  const options = { seed: 0, t0: 0, t1: 1, count: 4 };
  expectUserError(() => brownianTree({ ...options, t1: 1e-8 }), 'differ after rounding to 6 decimals: t0=0, t1=1e-8');
  expectUserError(() => brownianTree({ ...options, t1: NaN }), 't1=NaN');
  expectUserError(() => brownianTree({ ...options, count: 0 }), 'count=0');
  expectUserError(() => brownianTree({ ...options, seed: -1 }), 'seed=-1');
  const tree = brownianTree(options);
  expectUserError(() => tree.at(1.5), 't lies outside the Brownian tree: t=1.5, interval 0..1');
  expectUserError(() => tree.noise(0.5, 0.5), 'the noise of an empty step is undefined');
});
