import { UserError } from '@langevin/tensor';

const WHERE = 'samplers/diagnostics';

/** One image's way through a run, on the host: states from the first to the last, all in the same units. */
export type Path = readonly ArrayLike<number>[];

/** How far a path is from a straight line. */
export interface PathShape {
  /** Distance between its ends. */
  readonly chord: number;
  /** Distance of each state from the straight line through the ends. */
  readonly deviations: readonly number[];
  /** The greatest of them over the chord; 0 for a straight line. */
  readonly relativeDeviation: number;
  /** Length along the path over the chord, >= 1; 1 for a straight line. */
  readonly tortuosity: number;
  /** Angle between neighbouring steps, in radians, at each inner state. */
  readonly turns: readonly number[];
  /** Curvature at each inner state: turn over the mean length of the steps beside it. */
  readonly curvatures: readonly number[];
}

/**
 * Shape of a sampling path (Chen et al. 2023, arXiv:2305.19947, section 3; 2024, arXiv:2405.11326): paths of the VE ODE are near a line,
 * with one bend. Pass states in EDM units (x / alpha).
 *
 * @throws UserError for fewer than 2 states, states of different lengths, or ends that coincide
 * @example
 * pathShape([[0, 0], [1, 1], [2, 0]]).relativeDeviation; // => 0.5
 */
export function pathShape(path: Path): PathShape {
  const states = checkPath(path);
  const steps = states.slice(1).map((state, i) => difference(state, states[i]!));
  const across = difference(states.at(-1)!, states[0]!);
  const chord = norm(across);
  if (chord === 0) throw new UserError(`[${WHERE}] the ends of the path coincide: chord=0. Pass the states of a whole run.`);
  const deviations = states.map((state) => {
    const from = difference(state, states[0]!);
    const along = dot(from, across) / chord ** 2;
    return norm(from.map((value, k) => value - along * across[k]!));
  });
  const lengths = steps.map(norm);
  const turns = steps.slice(1).map((step, i) => angleBetween(steps[i]!, step));
  return {
    chord,
    deviations,
    relativeDeviation: Math.max(...deviations) / chord,
    tortuosity: lengths.reduce((a, b) => a + b, 0) / chord,
    turns,
    curvatures: turns.map((turn, i) => (2 * turn) / (lengths[i]! + lengths[i + 1]!)),
  };
}

/** How a run's x0-predictions run ahead of its states. */
export interface DenoisingLead {
  /** Distance of each state from the end of the path. */
  readonly states: readonly number[];
  /** Distance of the prediction made at each state from the end: what is lost by jumping there, the error of an "ODE-jump". */
  readonly predictions: readonly number[];
  /** Number of states whose prediction is nearer to the end than they are, of those that predict. */
  readonly leads: number;
}

/**
 * The denoising trajectory leads the sampling trajectory (arXiv:2305.19947, section 3): predictions come near the end of the path long
 * before its states. `predictions[i]` is D at `path[i]`; the last state has none.
 *
 * @throws UserError when there is not one prediction for each state but the last
 * @example
 * denoisingLead([[10, 0], [5, 0], [1, 0]], [[2, 0], [1, 0]]).predictions; // => [1, 0]
 */
export function denoisingLead(path: Path, predictions: Path): DenoisingLead {
  const states = checkPath(path);
  if (predictions.length !== states.length - 1)
    throw new UserError(
      `[${WHERE}] every state but the last has a prediction: states=${states.length}, predictions=${predictions.length}. Pass the `
        + 'denoised of each step.',
    );
  const end = states.at(-1)!;
  const distances = (list: Path): number[] => list.map((state, i) => norm(difference(checkState(state, end.length, i), end)));
  const [fromStates, fromPredictions] = [distances(states), distances(predictions)];
  return {
    states: fromStates,
    predictions: fromPredictions,
    leads: fromPredictions.filter((distance, i) => distance < fromStates[i]!).length,
  };
}

function checkPath(path: Path): readonly Float64Array[] {
  const size = path[0]?.length ?? 0;
  if (path.length < 2 || size === 0)
    throw new UserError(
      `[${WHERE}] a path has states: states=${path.length}, numbers of a state=${size}. Pass at least 2 that are not empty.`,
    );
  return path.map((state, i) => checkState(state, size, i));
}

function checkState(state: ArrayLike<number>, size: number, i: number): Float64Array {
  if (state.length !== size)
    throw new UserError(
      `[${WHERE}] states differ in length: state 0 has ${size}, state ${i} has ${state.length}. Pass one image's states.`,
    );
  return Float64Array.from(state);
}

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]!);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** Exact for small angles too, where the arc cosine is not. */
function angleBetween(a: Float64Array, b: Float64Array): number {
  const [sizeA, sizeB] = [norm(a), norm(b)];
  if (sizeA === 0 || sizeB === 0) return 0;
  const [unitA, unitB] = [a.map((value) => value / sizeA), b.map((value) => value / sizeB)];
  return 2 * Math.atan2(norm(difference(unitA, unitB)), norm(unitA.map((value, i) => value + unitB[i]!)));
}
