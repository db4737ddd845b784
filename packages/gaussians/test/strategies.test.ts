import {
  absgradStrategy,
  changeRows,
  defaultStrategy,
  mcmcStrategy,
  relocated,
  strategies,
  strategyByName,
  type Gaussians,
  type RefineContext,
  type Strategy,
} from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { initialState } from '../src/training/state.ts';

const logit = (p: number): number => Math.log(p / (1 - p));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Gaussians with these opacities and deviations, a row each. */
function make(rows: readonly { readonly opacity: number; readonly scale: number }[]): Gaussians {
  const count = rows.length;
  return {
    count,
    degree: 0,
    means: Float32Array.from({ length: 3 * count }, (_, i) => Math.floor(i / 3)),
    // A quarter turn about z: x of the Gaussian lies along y of the world.
    quaternions: Float32Array.from(rows.flatMap(() => [1, 0, 0, 1])),
    logScales: Float32Array.from(rows.flatMap(({ scale }) => [Math.log(scale), Math.log(scale / 10), Math.log(scale / 100)])),
    opacityLogits: Float32Array.from(rows, ({ opacity }) => logit(opacity)),
    sh: Float32Array.from({ length: 3 * count }, (_, i) => i),
  };
}

/** What a strategy makes of a population whose rows have this mean gradient, and the population before. */
function refine(
  strategy: Strategy,
  gaussians: Gaussians,
  options: {
    readonly step: number;
    readonly plannedSteps?: number;
    readonly gradients?: readonly number[];
    readonly seed?: number;
  },
) {
  const state = initialState(gaussians, { strategy, decaySteps: 1 });
  for (const [row, gradient] of (options.gradients ?? []).entries()) {
    // Seen twice.
    state.statistics['gradient']![row] = 2 * gradient;
    state.statistics['seen']![row] = 2;
  }
  for (const { mean, square } of Object.values(state.moments)) {
    mean.fill(1);
    square.fill(2);
  }
  const context: RefineContext = {
    step: options.step,
    plannedSteps: options.plannedSteps ?? 30_000,
    gaussians: state.gaussians,
    statistics: state.statistics,
    extent: 10,
    meansRate: 1e-3,
    random: counterGenerator({ seed: options.seed ?? 1, stream: [3, options.step] }),
  };
  const change = strategy.refine(context);
  const after = change?.rows === undefined ? state : { ...state, ...changeRows(state, change.rows) };
  change?.edit?.(after.gaussians);
  return { change, after, state };
}

describe('relocation', () => {
  it.each([
    [0.5, 2],
    [0.9, 5],
    [0.999, 51],
    [0.01, 3],
    [0.3, 1],
  ])('%f shared by %i looks the same from afar', (opacity, copies) => {
    const shared = relocated(opacity, copies);
    expect(1 - (1 - shared.opacity) ** copies).toBeCloseTo(opacity, 12);
    // In the middle of the Gaussian alpha is o; along a ray through the whole of it, sizes keep the integral: eq. 8 of the paper in one
    // dimension.
    const profile = (o: number, s: number, n: number): number => {
      let sum = 0;
      for (let x = -12; x <= 12; x += 0.001) sum += 1 - (1 - o * Math.exp((-x * x) / (2 * s * s))) ** n;
      return sum * 0.001;
    };
    expect(profile(shared.opacity, shared.scale, copies) / profile(opacity, 1, 1)).toBeCloseTo(1, 5);
  });

  it('shares what is faint or opaque, and refuses what has nothing to share', () => {
    expect((3 * relocated(1e-12, 3).opacity) / 1e-12).toBeCloseTo(1, 11);
    expect(relocated(1e-12, 3).scale).toBeCloseTo(1, 11);
    // A whole one is the sum over k of binomial(i - 1, k) (-1)^k / sqrt(k + 1), i = 1..2: 2 - 1 / sqrt(2).
    expect(relocated(1, 2)).toEqual({ opacity: 1, scale: expect.closeTo(1 / (2 - Math.SQRT1_2), 12) });
    for (const [opacity, copies] of [
      [0, 2],
      [NaN, 2],
      [1.1, 2],
      [0.5, 0],
      [0.5, 52],
      [0.5, 1.5],
    ] as const)
      expect(() => relocated(opacity, copies)).toThrow(
        `[gaussians/relocation] a Gaussian cannot be shared: opacity=${opacity}, copies=${copies}.`,
      );
  });
});

describe('MCMC', () => {
  const rows = [
    { opacity: 0.6, scale: 1 },
    { opacity: 0.001, scale: 2 },
    { opacity: 0.3, scale: 3 },
    { opacity: 0.004, scale: 4 },
  ];

  it('moves the dead onto the living, which keeps the opacity of every place, and clears their moments', () => {
    const { change, after } = refine(mcmcStrategy({ cap: 4 }), make(rows), { step: 600 });
    expect(change?.counts).toEqual({ moved: 2, added: 0 });
    expect(after.gaussians.count).toBe(4);
    for (const row of [0, 2]) {
      const together = [...change!.rows!.source].flatMap((source, i) => (source === row ? [i] : []));
      const transmitted = together.reduce((product, i) => product * (1 - sigmoid(after.gaussians.opacityLogits[i]!)), 1);
      expect(1 - transmitted).toBeCloseTo(rows[row]!.opacity, 6);
      const expected = relocated(rows[row]!.opacity, together.length);
      for (const i of together) expect(Math.exp(after.gaussians.logScales[3 * i]!)).toBeCloseTo(rows[row]!.scale * expected.scale, 5);
    }
    const sources = new Set([change!.rows!.source[1], change!.rows!.source[3]]);
    for (let row = 0; row < 4; row++)
      expect(after.moments.opacityLogits.mean[row]).toBe(row === 1 || row === 3 || sources.has(row) ? 0 : 1);
  });

  it('grows by a twentieth up to the cap, without changing places', () => {
    const many = make(Array.from({ length: 100 }, () => ({ opacity: 0.5, scale: 1 })));
    const { change, after } = refine(mcmcStrategy(), many, { step: 600 });
    expect(change?.counts).toEqual({ moved: 0, added: 5 });
    expect(after.gaussians.count).toBe(105);
    const through = new Map<number, number>();
    for (const [i, source] of change!.rows!.source.entries())
      through.set(source, (through.get(source) ?? 1) * (1 - sigmoid(after.gaussians.opacityLogits[i]!)));
    for (const transmitted of through.values()) expect(transmitted).toBeCloseTo(0.5, 6);
    expect(refine(mcmcStrategy({ cap: 102 }), many, { step: 600 }).after.gaussians.count).toBe(102);
    expect(refine(mcmcStrategy({ cap: 50 }), many, { step: 600 }).after.gaussians.count).toBe(100);
  });

  it('acts in its window only, and the same seed does the same', () => {
    for (const step of [500, 650, 25_000]) expect(refine(mcmcStrategy(), make(rows), { step }).change).toBeUndefined();
    const once = refine(mcmcStrategy(), make(rows), { step: 600, seed: 5 }).after;
    expect(refine(mcmcStrategy(), make(rows), { step: 600, seed: 5 }).after).toEqual(once);
  });

  it('shakes what is hardly seen, along its own shape', () => {
    const strategy = mcmcStrategy();
    const gaussians = make([...Array.from({ length: 4000 }, () => ({ opacity: 0.005, scale: 0.5 })), { opacity: 0.9, scale: 0.5 }]);
    const before = gaussians.means.slice();
    strategy.perturb!({
      step: 1,
      plannedSteps: 30_000,
      gaussians,
      statistics: {},
      extent: 1,
      meansRate: 1e-5,
      random: counterGenerator({ seed: 2, stream: [] }),
    });
    const moved = gaussians.means.map((value, i) => value - before[i]!);
    const deviation = (axis: number): number =>
      Math.sqrt(Array.from({ length: 4000 }, (_, row) => moved[3 * row + axis]! ** 2).reduce((a, b) => a + b, 0) / 4000);
    // Half of 5e5 * 1e-5 times the variance; turned by the quaternion. float32 places of up to 4000 hide the smallest.
    expect(deviation(1) / (2.5 * 0.25)).toBeCloseTo(1, 1);
    expect(deviation(0) / (2.5 * 0.0025)).toBeCloseTo(1, 1);
    expect(Math.abs(moved[12_000]!)).toBe(0);
  });
});

describe.each([
  ['default', defaultStrategy, 2e-4],
  ['absgrad', absgradStrategy, 8e-4],
] as const)('the %s strategy', (name, create, threshold) => {
  const rows = [
    { opacity: 0.5, scale: 0.05 },
    { opacity: 0.5, scale: 0.5 },
    { opacity: 0.5, scale: 0.05 },
    { opacity: 0.004, scale: 0.05 },
    { opacity: 0.5, scale: 2 },
  ];
  const gradients = [threshold * 1.1, threshold * 1.1, threshold * 0.9, 0, 0];

  it('doubles the small, splits the large, removes what cannot be seen', () => {
    const { change, after } = refine(create(), make(rows), { step: 600, gradients });
    expect(change?.counts).toEqual({ cloned: 1, split: 1, pruned: 1 });
    // 0, 2, 4 stay, 0 doubled, 1 in two.
    expect([...change!.rows!.source]).toEqual([0, 2, 4, 0, 1, 1]);
    expect([...after.moments.opacityLogits.mean]).toEqual([1, 1, 1, 0, 0, 0]);
    expect([...after.moments.sh.square.subarray(0, 3), ...after.moments.sh.square.subarray(15)]).toEqual([2, 2, 2, 0, 0, 0]);
    expect(after.gaussians.means.subarray(9, 12)).toEqual(Float32Array.of(0, 0, 0));
    expect(Math.exp(after.gaussians.logScales[3 * 4]!)).toBeCloseTo(0.5 / 1.6, 6);
    expect(change?.clearStatistics).toBe(true);
  });

  it('removes the far too large once opacities were reset', () => {
    expect(refine(create(), make(rows), { step: 3000, gradients: [] }).change?.counts).toEqual({
      cloned: 0,
      split: 0,
      pruned: 1,
      reset: 1,
    });
    expect(refine(create(), make(rows), { step: 3100, gradients: [] }).change?.counts).toEqual({ cloned: 0, split: 0, pruned: 2 });
  });

  it('resets opacities, whose moments begin again', () => {
    const { change, after } = refine(create(), make(rows), { step: 3000 });
    expect([...after.gaussians.opacityLogits].map(sigmoid).every((opacity) => opacity <= 0.01 + 1e-7)).toBe(true);
    expect(change?.clearMoments).toEqual(['opacityLogits']);
  });

  it('keeps to its cap, its window and its name', () => {
    const { change } = refine(create({ cap: 6 }), make(rows), { step: 600, gradients: [threshold * 2, threshold * 3, 0, 0, 0] });
    expect(change?.counts).toEqual({ cloned: 0, split: 1, pruned: 1 });
    for (const step of [500, 601, 15_000]) expect(refine(create(), make(rows), { step, gradients }).change).toBeUndefined();
    expect(strategyByName(name).name).toBe(name);
  });

  it('counts gradients in units of half the picture, over the views that saw it', () => {
    const strategy = create();
    const { statistics } = initialState(make(rows.slice(0, 2)), { strategy, decaySteps: 1 });
    const gradient = Float32Array.of(3e-3, 4e-3, 1, 1);
    const none = new Float32Array(0);
    const rendering = { width: 200, height: 100, channels: 3, color: none, alpha: none, radii: Float32Array.of(2, 0) };
    const gradients2 = {
      means: none,
      quaternions: none,
      logScales: none,
      opacityLogits: none,
      sh: none,
      background: none,
      worldToCamera: none,
      means2d: new Float32Array(4),
      absoluteMeans2d: new Float32Array(4),
      [name === 'default' ? 'means2d' : 'absoluteMeans2d']: gradient,
    };
    strategy.observe!({
      step: 1,
      plannedSteps: 30_000,
      statistics,
      rendering,
      gradients: gradients2,
      camera: { width: 200, height: 100, fx: 1, fy: 1, cx: 0, cy: 0, worldToCamera: [] },
    });
    expect(statistics['gradient']![0]).toBeCloseTo(Math.hypot(0.3, 0.2), 6);
    expect([...statistics['seen']!]).toEqual([1, 0]);
    expect(statistics['gradient']![1]).toBe(0);
  });
});

it('children of a split are spread as their parent is', () => {
  const count = 3000;
  const gaussians = make(Array.from({ length: count }, () => ({ opacity: 0.5, scale: 0.5 })));
  gaussians.means.fill(0);
  const { after } = refine(defaultStrategy({ splitOpacity: 'revised' }), gaussians, { step: 600, gradients: Array<number>(count).fill(1) });
  expect(after.gaussians.count).toBe(2 * count);
  const deviation = (axis: number): number =>
    Math.sqrt(
      Array.from({ length: 2 * count }, (_, row) => after.gaussians.means[3 * row + axis]! ** 2).reduce((a, b) => a + b, 0) / (2 * count),
    );
  // Turned by a quarter: x and y change places. 6000 draws: three standard errors are 2.7%.
  for (const [axis, expected] of [
    [1, 0.5],
    [0, 0.05],
    [2, 0.005],
  ] as const)
    expect(Math.abs(deviation(axis) / expected - 1)).toBeLessThan(0.027);
  // Both children together are as opaque as the parent.
  expect(1 - (1 - sigmoid(after.gaussians.opacityLogits[0]!)) ** 2).toBeCloseTo(0.5, 6);
});

describe('near the end of a run nothing is changed, so that no caller can forget it', () => {
  const rows = [
    { opacity: 0.5, scale: 0.05 },
    { opacity: 0.001, scale: 0.05 },
    { opacity: 0.6, scale: 0.05 },
  ];
  /** The steps of a run at which a strategy changes something, and those at which it resets opacities. */
  const changesOf = (
    strategy: Strategy,
    plannedSteps: number,
  ): { readonly changes: readonly number[]; readonly resets: readonly number[] } => {
    const changes: number[] = [];
    const resets: number[] = [];
    for (let step = 1; step <= plannedSteps + 200; step++) {
      const { change } = refine(strategy, make(rows), { step, plannedSteps });
      if (change === undefined) continue;
      changes.push(step);
      if (change.counts['reset'] !== undefined) resets.push(step);
    }
    return { changes, resets };
  };
  const busy = { start: 0, every: 10, stop: 100_000 };

  it.each(['default', 'absgrad'])(
    '%s: without an option half of the run, with any option five sixths, and resets in the first half',
    (name) => {
      for (const plannedSteps of [30, 300, 3000]) {
        expect(Math.max(0, ...changesOf(strategyByName(name), plannedSteps).changes)).toBeLessThan(plannedSteps / 2);
        const { changes, resets } = changesOf(strategyByName(name, { ...busy, resetEvery: 3 }), plannedSteps);
        expect(changes.at(-1)).toBeLessThan((plannedSteps * 5) / 6);
        expect(changes.at(-1)).toBeGreaterThan(plannedSteps / 2);
        expect(resets.at(-1)).toBeLessThanOrEqual(plannedSteps / 2);
        expect(resets.length).toBeGreaterThan(0);
      }
      // The window of the paper, for its run.
      const strategy = strategyByName(name);
      for (const [step, happens] of [
        [12_000, true],
        [14_900, true],
        [15_000, false],
      ] as const)
        expect(refine(strategy, make(rows), { step }).change !== undefined).toBe(happens);
      // A run of 3000 steps would be reset in its last one.
      expect(refine(strategy, make(rows), { step: 3000, plannedSteps: 3000 }).change).toBeUndefined();
    },
  );

  it('mcmc: five sixths of the run', () => {
    for (const plannedSteps of [60, 3000])
      for (const options of [
        { ...busy, cap: 10 },
        { start: 0, every: 10, cap: 10 },
      ])
        expect(changesOf(strategyByName('mcmc', options), plannedSteps).changes.at(-1)).toBe((plannedSteps * 5) / 6 - 10);
    const strategy = strategyByName('mcmc');
    for (const [step, happens] of [
      [24_900, true],
      [25_000, false],
    ] as const)
      expect(refine(strategy, make(rows), { step }).change !== undefined).toBe(happens);
  });
});

it.each([
  ['default', { every: 0 }, 'every is out of range: every=0. Pass an integer >= 1.'],
  ['default', { pruneOpacity: 0 }, 'pruneOpacity is out of range: pruneOpacity=0. Pass a number > 0 and < 0.5.'],
  ['default', { pruneOpacity: 0.5 }, 'pruneOpacity=0.5'],
  ['default', { splitOpacity: 'halved' }, 'splitOpacity is unknown: splitOpacity=halved. Known: copied, revised.'],
  ['default', { cap: 'many' }, 'cap is out of range: cap="many".'],
  ['mcmc', { cap: -1 }, 'cap=-1'],
  ['mcmc', { growth: 0.9 }, 'growth is out of range: growth=0.9. Pass a number >= 1.'],
  ['mcmc', { minOpacity: 1 }, 'minOpacity=1'],
  ['mcmc', { noise: NaN }, 'noise=NaN'],
] as const)('%s refuses %j', (name, options, message) => {
  expect(() => strategyByName(name, options)).toThrow(
    // Of the range, its value is enough.
    message.includes(' ') ? `[gaussians/strategies] ${message}` : message,
  );
});

it.each([
  ['default', { caps: 100 }, '[strategy/default] unknown option: "caps". Did you mean "cap"? Known: start, stop, every, resetEvery,'],
  ['absgrad', { minOpacity: 0 }, '[strategy/absgrad] unknown option: "minOpacity".'],
  ['mcmc', { resetEvery: 9 }, '[strategy/mcmc] unknown option: "resetEvery".'],
] as const)('%s has no option %j', (name, options, message) => {
  expect(() => strategyByName(name, options)).toThrow(message);
});

it('unknown strategies are refused, and options that are not given are those by default', () => {
  expect(strategies.names).toEqual(['absgrad', 'default', 'mcmc']);
  expect(() => strategyByName('defualt')).toThrow('[strategy] unknown strategy: "defualt". Did you mean "default"?');
  expect(defaultStrategy({ every: undefined as unknown as number }).options).toEqual(defaultStrategy().options);
});
