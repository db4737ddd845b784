import type { Algebra, Coefficient, Term } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/dormand-prince';

/** What a differential equation says at a time: the rate of the state, and of one more number for each item. */
export interface Rate<T> {
  readonly x: T;
  /** [items]; absent where nothing is integrated beside the state. */
  readonly extra?: readonly number[];
}

/** dx/dt. With control 'item' there is a time for each item, else one for all. */
export type RateFunction<T> = (x: T, time: Coefficient) => Rate<T> | Promise<Rate<T>>;

export interface DormandPrinceOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly rate: RateFunction<T>;
  /** The state at `from`. It is not changed. */
  readonly x: T;
  /**
   * A number for each item at `from`, integrated beside the state and held to the same tolerances.
   * @default zeros, where rate gives extras
   */
  readonly extra?: readonly number[];
  readonly from: number;
  /** Above or below `from`. */
  readonly to: number;
  /** Error allowed relative to the value, >= 0. @default 1e-5 (Song et al. 2021, arXiv:2011.13456, appendix D.2) */
  readonly rtol?: number;
  /** Error allowed in units of the state, > 0; the larger of both tolerances counts. @default 1e-5 */
  readonly atol?: number;
  /**
   * 'item': each item of the batch has steps of its own, so that it does not depend on its neighbours; 'batch': one step for all, by the
   * mean error, as solvers of one flat vector do. @default 'item'
   */
  readonly control?: 'item' | 'batch';
  /** First step to try, > 0. @default found from the rate, which costs one evaluation (Hairer, Norsett and Wanner 1993, II.4) */
  readonly firstStep?: number;
  /** The rate at `from`, where the caller knows it (the `rate` of the interval before), saves an evaluation. */
  readonly firstRate?: Rate<T>;
  /** Steps that may be tried, 1..1e6. @default 10000 */
  readonly maxSteps?: number;
  /** Aborts between evaluations, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface DormandPrinceResult<T> {
  /** The state at `to`. */
  readonly x: T;
  /** [items] at `to`; empty where rate gives no extras. */
  readonly extra: readonly number[];
  /** Calls of rate. */
  readonly evaluations: number;
  /** Steps tried: the most over the items. */
  readonly steps: number;
  /** Steps thrown away for their error, over all items. */
  readonly rejected: number;
  /** The step that the error would allow next (the least over the items): firstStep of an interval that follows. */
  readonly nextStep: number;
  /** The rate at `to`: firstRate of an interval that follows. */
  readonly rate: Rate<T>;
}

/** Nodes, weights and the difference to the embedded order 4 of Dormand and Prince 1980, table 2 ("RK5(4)7M"). */
const NODES = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1];
const STAGES: readonly (readonly number[])[] = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
];
const WEIGHTS = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84];
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/** Step control of the same source as the first step: a safety margin, and limits on how fast steps change. */
const SAFETY = 0.9;
const SHRINK = 0.2;
const GROW = 10;

/**
 * Solves dx/dt = rate(x, t) with adaptive steps of Dormand and Prince's order 5 with error estimate of order 4, whose last stage is the
 * first of the next step, so that a step costs six evaluations.
 *
 * @throws UserError when tolerances cannot be met (the error says where), or for options out of range
 * @example
 * const { x } = await dormandPrince({ algebra: arrayAlgebra(), rate: (x) => ({ x }), x: Float64Array.of(1), from: 0, to: 1 });
 * x; // => [2.71828]
 */
export async function dormandPrince<T>(options: DormandPrinceOptions<T>): Promise<DormandPrinceResult<T>> {
  const { algebra, from, to, rtol = 1e-5, atol = 1e-5, control = 'item', maxSteps = 10_000, signal } = options;
  checkOptions({ ...options, rtol, atol, maxSteps, control });
  const items = algebra.items(options.x);
  const lanes = control === 'item' ? items : 1;
  const direction = to >= from ? 1 : -1;
  const coefficient = (values: readonly number[]): Coefficient => (control === 'item' ? values : values[0]!);
  /** A number of each lane for each item. */
  const laneOf = (item: number): number => (control === 'item' ? item : 0);

  let evaluations = 0;
  const evaluate = async (x: T, times: readonly number[]): Promise<Rate<T>> => {
    signal?.throwIfAborted();
    evaluations++;
    return options.rate(x, coefficient(times));
  };
  const errorOf = async (
    error: T,
    of: readonly T[],
    { error: extraError, of: extras }: { readonly error: readonly number[]; readonly of: readonly (readonly number[])[] },
  ): Promise<readonly number[]> => {
    const rms = await algebra.scaledRms(error, { absolute: atol, relative: rtol, of });
    const both = rms.map((value, i) => {
      const extra = extraError[i];
      return extra === undefined
        ? value
        : Math.max(value, Math.abs(extra) / Math.max(atol, rtol * Math.max(...extras.map((list) => Math.abs(list[i]!)))));
    });
    return control === 'item' ? both : [Math.sqrt(both.reduce((total, value) => total + value ** 2, 0) / items)];
  };

  let x = options.x;
  let first =
    options.firstRate
    ?? (await evaluate(
      x,
      Array.from({ length: lanes }, () => from),
    ));
  const extras = first.extra !== undefined;
  let extra: readonly number[] = options.extra ?? (extras ? Array.from({ length: items }, () => 0) : []);
  checkExtras(extra, first, items);
  const times = Array.from({ length: lanes }, () => from);
  let steps = 0;
  let rejected = 0;
  let sizes = Array.from({ length: lanes }, () => options.firstStep ?? 0);
  if (options.firstStep === undefined && from !== to) sizes = await firstSteps();
  const allowed = [...sizes];
  const grow = Array.from({ length: lanes }, () => GROW);

  while (times.some((time) => time !== to)) {
    if (++steps > maxSteps) fail(`too many steps: maxSteps=${maxSteps}`, times);
    // An item that has arrived waits with steps of zero.
    const h = sizes.map((size, i) => direction * Math.min(size, Math.abs(to - times[i]!)));
    const rates = [first];
    for (let stage = 1; stage < 6; stage++) {
      rates.push(
        await evaluate(
          moved(rates, STAGES[stage]!, h),
          times.map((time, i) => time + NODES[stage]! * h[i]!),
        ),
      );
    }
    const arrived = times.map((time, i) => (Math.abs(to - time) <= sizes[i]! ? to : time + h[i]!));
    const next = moved(rates, WEIGHTS, h);
    const nextExtra = movedExtra(rates, { weights: WEIGHTS, h });
    const last = await evaluate(next, arrived);
    rates.push(last);
    const error = algebra.linear(...rates.map((rate, k): Term<T> => [coefficient(h.map((step) => ERROR[k]! * step)), rate.x]));
    await algebra.realize([next, last.x, error]);
    const zero = extra.map(() => 0);
    const errors = await errorOf(error, [x, next], {
      error: movedExtra(rates, { weights: ERROR, h, start: zero }),
      of: [extra, nextExtra],
    });
    const kept = errors.map((value, i) => {
      if (times[i] === to) return true;
      if (Number.isNaN(value)) fail('the rate is not a number', times);
      const accepted = value <= 1;
      const factor = Math.min(grow[i]!, Math.max(SHRINK, SAFETY * value ** -0.2));
      const reached = arrived[i] === to;
      // A last step that was cut short says nothing against the longer one.
      const base = reached && accepted ? Math.max(Math.abs(h[i]!) * factor, sizes[i]!) : Math.abs(h[i]!) * factor;
      sizes[i] = base;
      if (accepted) allowed[i] = base;
      else if (base < 1e-14 * Math.max(Math.abs(times[i]!), Math.abs(to - from)))
        fail(`steps became too small for rtol=${rtol}, atol=${atol}`, times);
      grow[i] = accepted ? GROW : 1;
      if (!accepted) rejected++;
      return accepted;
    });
    const take = kept.map(Number);
    const leave = kept.map((accepted) => Number(!accepted));
    x = algebra.linear([coefficient(leave), x], [coefficient(take), next]);
    const firstX = algebra.linear([coefficient(leave), first.x], [coefficient(take), last.x]);
    const firstExtra = first.extra?.map((value, i) => (kept[laneOf(i)] ? last.extra![i]! : value));
    first = firstExtra === undefined ? { x: firstX } : { x: firstX, extra: firstExtra };
    extra = extra.map((value, i) => (kept[laneOf(i)] ? nextExtra[i]! : value));
    kept.forEach((accepted, i) => {
      if (accepted) times[i] = arrived[i]!;
    });
    await algebra.realize([x, first.x]);
  }
  return { x, extra, evaluations, steps, rejected, nextStep: Math.min(...allowed), rate: first };

  function moved(rates: readonly Rate<T>[], weights: readonly number[], h: readonly number[]): T {
    return algebra.linear(
      [1, x],
      ...weights.flatMap((weight, k): readonly Term<T>[] =>
        weight === 0 ? [] : [[coefficient(h.map((step) => weight * step)), rates[k]!.x]],
      ),
    );
  }

  function movedExtra(
    rates: readonly Rate<T>[],
    {
      weights,
      h,
      start = extra,
    }: { readonly weights: readonly number[]; readonly h: readonly number[]; readonly start?: readonly number[] },
  ): readonly number[] {
    return start.map((value, i) => weights.reduce((sum, weight, k) => sum + weight * h[laneOf(i)]! * rates[k]!.extra![i]!, value));
  }

  /** Hairer, Norsett and Wanner 1993, II.4: a step at which an explicit Euler step and the change of the rate are small. */
  async function firstSteps(): Promise<number[]> {
    const none = extra.map(() => 0);
    const size = await errorOf(x, [x], { error: extra, of: [extra] });
    const slope = await errorOf(first.x, [x], { error: first.extra ?? none, of: [extra] });
    const span = Math.abs(to - from);
    const guess = size.map((value, i) => Math.min(span, value < 1e-5 || slope[i]! < 1e-5 ? 1e-6 : (0.01 * value) / slope[i]!));
    const h = guess.map((step) => direction * step);
    const second = await evaluate(
      moved([first], [1], h),
      h.map((step) => from + step),
    );
    const change = algebra.linear([1, second.x], [-1, first.x]);
    const bent = (first.extra ?? []).map((value, i) => second.extra![i]! - value);
    const bend = await errorOf(change, [x], { error: bent, of: [extra] });
    return guess.map((step, i) => {
      const greatest = Math.max(slope[i]!, bend[i]! / step);
      const wanted = greatest <= 1e-15 ? Math.max(1e-6, step * 1e-3) : (0.01 / greatest) ** 0.2;
      const result = Math.min(100 * step, wanted, span);
      if (Number.isNaN(result)) fail('the rate is not a number', times);
      return result;
    });
  }
}

function fail(what: string, times: readonly number[]): never {
  throw new UserError(
    `[${WHERE}] the equation cannot be solved on: ${what}, at time=${times.join(', ')}. Stop before the rate becomes unbounded, or `
      + 'allow a larger error.',
  );
}

function checkExtras<T>(extra: readonly number[], first: Rate<T>, items: number): void {
  const given = first.extra?.length ?? 0;
  if (extra.length === given && (given === 0 || given === items)) return;
  throw new UserError(
    `[${WHERE}] there is one extra number for each item, or none: extra=${extra.length}, rate().extra=${given}, items=${items}. `
      + 'Return as many as there are items.',
  );
}

function checkOptions<T>({ from, to, rtol, atol, maxSteps, firstStep, control }: DormandPrinceOptions<T>): void {
  checkNumber(WHERE, { from });
  checkNumber(WHERE, { to });
  checkNumber(WHERE, { rtol }, { atLeast: 0, atMost: 1 });
  checkNumber(WHERE, { atol }, { above: 0 });
  checkNumber(WHERE, { maxSteps }, { atLeast: 1, atMost: 1e6, kind: 'integer' });
  if (firstStep !== undefined) checkNumber(WHERE, { firstStep }, { above: 0 });
  if (control !== 'item' && control !== 'batch')
    throw new UserError(`[${WHERE}] unknown control: control="${String(control)}". Known: item, batch.`);
}
