import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { addMatrix2, inverseMatrix2, lowerRootMatrix2, multiplyMatrix2, type Matrix2 } from '../maths/matrix2.ts';

/**
 * A level of a diffusion of pairs u = (position, velocity): u = mean u0 + root epsilon, with two-by-two matrices where an ordinary level
 * has the numbers alpha and sigma. Those two are the position's own.
 */
export interface PairLevel extends NoiseLevel {
  readonly time: number;
  readonly mean: Matrix2;
  readonly root: Matrix2;
}

export interface CriticallyDampedOptions {
  /** Speed of the process, > 0. @default 4, with the others Dockhorn et al.'s */
  readonly beta?: number;
  /** Inverse of the mass M, > 0. @default 4 */
  readonly inverseMass?: number;
  /** Variance of the first velocities in units of M, > 0. @default 0.04 */
  readonly gamma0?: number;
  /**
   * Which root of the covariance turns unit noise into the noise of a pair: `gddim` solves dR/dt = (F + G G^T Sigma^-1 / 2) R, along which
   * epsilon is constant on the probability-flow ODE of a point; `cholesky` is triangular, as networks of the original paper predict it.
   *
   * @default 'gddim'
   */
  readonly root?: 'gddim' | 'cholesky';
}

export interface CriticallyDamped {
  /** The level at a time in 0..1, 1 being noise. */
  readonly level: (time: number) => PairLevel;
  /** Covariance of the pair when the first position is a point and the first velocity N(0, gamma0 M). */
  readonly covariance: (time: number) => Matrix2;
  /** Where the process leads a pair without noise: the matrix exponential of F time. */
  readonly mean: (time: number) => Matrix2;
  /** du = F u dt + G dw: the drift matrix F, and G G^T. */
  readonly drift: Matrix2;
  readonly diffusion: Matrix2;
}

const WHERE = 'core-schedules/critically-damped';

/** Earliest time at which the root is integrated; the covariance is singular at 0. */
const FIRST = 1e-6;
/** Steps of the root from time 1 to {@link FIRST}, even in log time: an error near 1e-10. */
const STEPS = 4000;

/**
 * Critically damped Langevin diffusion (Dockhorn et al. 2022, arXiv:2112.07068): dx = beta v / M dt, dv = -beta x dt - Gamma beta v / M dt
 * + sqrt(2 Gamma beta) dw with Gamma = 2 sqrt(M), and its roots for gDDIM (Zhang et al. 2022, arXiv:2206.05564, eq. 17). Mean and
 * covariance are in closed form; the root is integrated numerically.
 *
 * @throws UserError for options out of range
 * @example
 * const process = criticallyDamped({ beta: 4, inverseMass: 4 });
 * process.mean(0).map(Math.abs); // => [1, 0, 0, 1]
 */
export function criticallyDamped(options: CriticallyDampedOptions = {}): CriticallyDamped {
  const { beta = 4, inverseMass = 4, gamma0 = 0.04, root = 'gddim' } = readOptions(WHERE, options);
  checkNumber(WHERE, { beta, inverseMass, gamma0 }, { above: 0 });
  if (root !== 'gddim' && root !== 'cholesky')
    throw new UserError(`[${WHERE}] unknown root: root=${shownValue(root)}. Known: gddim, cholesky.`);
  const mass = 1 / inverseMass;
  const friction = 2 * Math.sqrt(mass);
  const drift: Matrix2 = [0, beta * inverseMass, -beta, -friction * beta * inverseMass];
  const diffusion: Matrix2 = [0, 0, 0, 2 * friction * beta];
  /** Both eigenvalues of F. */
  const decay = beta * Math.sqrt(inverseMass);
  const mean = (time: number): Matrix2 => {
    const e = Math.exp(-decay * time);
    return [e * (1 + decay * time), e * beta * inverseMass * time, -e * beta * time, e * (1 - decay * time)];
  };
  const covariance = (time: number): Matrix2 => {
    // exp(F s) e_v = exp(-decay s) (slope s, 1 - decay s), squared and integrated.
    const slope = beta * inverseMass;
    const [j0, j1, j2] = [0, 1, 2].map((power) => decayingMoment(power, 2 * decay, time)) as [number, number, number];
    const [, b, , d] = mean(time);
    const start = gamma0 * mass;
    const noise = 2 * friction * beta;
    const xx = start * b * b + noise * slope ** 2 * j2;
    const xv = start * b * d + noise * slope * (j1 - decay * j2);
    return [xx, xv, xv, start * d * d + noise * (j0 - 2 * decay * j1 + decay ** 2 * j2)];
  };
  const integrated = root === 'gddim' ? rootTable({ drift, diffusion, covariance }) : undefined;
  const rootAt = (time: number): Matrix2 => {
    if (time === 0) return [0, 0, ...(integrated?.(FIRST).slice(2) ?? [0, Math.sqrt(gamma0 * mass)])] as unknown as Matrix2;
    return integrated?.(time) ?? lowerRootMatrix2(covariance(time));
  };
  return Object.freeze({
    drift,
    diffusion,
    mean,
    covariance,
    level: (time: number): PairLevel => {
      checkNumber(WHERE, { time }, { atLeast: 0, atMost: 1, advice: 'Pass a number in 0..1; 1 is noise.' });
      return Object.freeze({ alpha: mean(time)[0], sigma: Math.sqrt(covariance(time)[0]), time, mean: mean(time), root: rootAt(time) });
    },
  });
}

/** The integral of s^power exp(-rate s) from 0 to `end`, by its series where the closed form cancels. */
function decayingMoment(power: number, rate: number, end: number): number {
  if (rate * end < 1) {
    let [total, term] = [0, end ** (power + 1)];
    for (let n = 0; n < 24; n++) {
      total += term / (n + power + 1);
      term *= (-rate * end) / (n + 1);
    }
    return total;
  }
  // By parts: power J(power - 1) / rate, less the value at the end.
  const value = (end ** power * Math.exp(-rate * end)) / rate;
  return power === 0 ? (1 - Math.exp(-rate * end)) / rate : (power * decayingMoment(power - 1, rate, end)) / rate - value;
}

type Dynamics = Pick<CriticallyDamped, 'drift' | 'diffusion' | 'covariance'>;

/** R(time), from a triangular root at time 1 down: any start of the right square gives the same map, up to a rotation of epsilon. */
function rootTable({ drift, diffusion, covariance }: Dynamics): (time: number) => Matrix2 {
  const span = -Math.log(FIRST) / STEPS;
  /** dR / dlog(time). */
  const rate = (time: number, r: Matrix2): Matrix2 => {
    const pulled = multiplyMatrix2(diffusion, inverseMatrix2(covariance(time)));
    return multiplyMatrix2([0, 1, 2, 3].map((k) => time * (drift[k]! + pulled[k]! / 2)) as unknown as Matrix2, r);
  };
  /** The classical fourth-order step in log time. */
  const stepped = (from: number, to: number, r: Matrix2): Matrix2 => {
    const h = Math.log(to / from);
    const middle = Math.sqrt(from * to);
    const a = rate(from, r);
    const b = rate(middle, addMatrix2(r, h / 2, a));
    const c = rate(middle, addMatrix2(r, h / 2, b));
    const d = rate(to, addMatrix2(r, h, c));
    return r.map((value, k) => value + (h / 6) * (a[k]! + 2 * b[k]! + 2 * c[k]! + d[k]!)) as unknown as Matrix2;
  };
  const times = Array.from({ length: STEPS + 1 }, (_, i) => Math.exp(-i * span));
  const table: Matrix2[] = [lowerRootMatrix2(covariance(1))];
  for (let i = 0; i < STEPS; i++) table.push(stepped(times[i]!, times[i + 1]!, table[i]!));
  return (time) => {
    const clamped = Math.max(time, FIRST);
    const i = Math.min(STEPS, Math.floor(-Math.log(clamped) / span));
    return clamped === times[i] ? table[i]! : stepped(times[i]!, clamped, table[i]!);
  };
}
