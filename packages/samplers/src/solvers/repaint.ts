import {
  type Algebra,
  defineSampler,
  type NoiseLevel,
  type Sampler,
  type SamplerState,
  type StepInput,
  type StepOutput,
} from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkBase, checkKind, isObject } from '../check-option.ts';
import { jumpBack } from '../jump-back.ts';
import { ddpm } from './ddpm.ts';

/** What is known of the images: host numbers, row-major, of one item or of the whole batch. */
export interface KnownPart {
  /** 1 where the image is known, 0 where it is to be filled in. */
  readonly mask: ArrayLike<number>;
  /** The known image; what it holds where the mask is 0 does not matter, as long as it is finite. */
  readonly image: ArrayLike<number>;
}

export interface RepaintOptions {
  /** @default none: everything is sampled */
  readonly known?: KnownPart;
  /** Levels that a jump leads back, a positive integer. @default 10 */
  readonly jumpLength?: number;
  /** How often each stretch of jumpLength levels is sampled in all, a positive integer; 1 is plain replacement. @default 10 */
  readonly jumpSamples?: number;
  /** What takes the steps. @default ddpm() */
  readonly base?: Sampler;
}

/**
 * RePaint (Lugmayr et al. 2022, arXiv:2201.09865, Algorithm 1): after each step the known part is replaced by the known image at that
 * noise, and every jumpLength levels the state is noised back by as many and sampled again, so that both parts come to
 * agree. A run ends with the known part bit for bit.
 *
 * Jumps belong to the step that arrives where they start, so levels stay a plain grid. A jump back is one draw, as Gaussian kernels
 * compose. One draw serves both parts of a step, as no element is in both.
 *
 * @throws UserError for options out of range, and at the first step when mask or image do not fit the state
 * @example
 * const known = { mask: [1, 0], image: [0.25, 0] };
 * const levels = leading().levels(discreteVp(), { steps: 20 });
 * const filled = await sample({
 *   sampler: repaint({ known, jumpLength: 5, jumpSamples: 2 }),
 *   denoise: defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) }),
 *   x: Float64Array.of(1, -1),
 *   levels,
 *   noise: imageNoise({ seed: 0 }),
 * });
 * [...filled]; // => [0.25, 0.5]
 */
export function repaint(options: RepaintOptions = {}): Sampler {
  const { known, jumpLength = 10, jumpSamples = 10, base = ddpm() } = readOptions('samplers/repaint', options);
  checkNumber('samplers/repaint', { jumpLength }, { atLeast: 1, kind: 'integer' });
  checkNumber('samplers/repaint', { jumpSamples }, { atLeast: 1, kind: 'integer' });
  checkBase('repaint', base);
  if (known !== undefined) checkKnown(known);
  return defineSampler({
    name: 'repaint',
    order: base.order,
    stochastic: true,
    paper: 'arXiv:2201.09865, Algorithm 1',
    init: base.init,
    step: async <T>(input: StepInput<T>) => {
      const { levels, index } = input;
      const fixed = known === undefined ? undefined : keptKnown(known, input);
      let output = await masked(base, { ...input, state: without(input.state) }, fixed);
      // Steps are counted from the last noisy level, as upstream does.
      const rest = levels.length - (levels.at(-1)!.sigma === 0 ? 2 : 1) - (index + 1);
      const start = index + 1 - jumpLength;
      if (rest >= 0 && rest % jumpLength === 0 && start >= 0) {
        const grid = levels.slice(start, index + 2);
        const part = { init: base.init, step: <U>(step: StepInput<U>) => masked(base, step, fixed as Fixed<U> | undefined) };
        for (let again = 1; again < jumpSamples; again++)
          output = await jumpBack({ base: part, input, x: output.x, grid, index: start, jumps: again });
      }
      const after = output.state ?? base.init<T>();
      return {
        ...output,
        state:
          fixed === undefined
            ? after
            : { ...after, values: { ...after.values, [MASK]: fixed.mask, [HOLE]: fixed.hole, [IMAGE]: fixed.image } },
      };
    },
  });
}

interface Fixed<T> {
  readonly mask: T;
  /** 1 - mask, so that products with zeros leave the known part as it is. */
  readonly hole: T;
  readonly image: T;
}

/** Names in the state that no base sampler uses. */
const MASK = 'repaint.mask';
const HOLE = 'repaint.hole';
const IMAGE = 'repaint.image';

/** A step of the base sampler, with the known part put in at its end. */
async function masked<T>(base: Sampler, input: StepInput<T>, fixed: Fixed<T> | undefined): Promise<StepOutput<T>> {
  const { from, to, algebra, noise } = input;
  let drawn: T | undefined;
  const output = await base.step({
    ...input,
    noise: async (interval = { from, to }) => {
      const z = await noise(interval);
      drawn ??= z;
      return z;
    },
  });
  if (fixed === undefined) return { state: input.state, ...output };
  const { mask, hole, image } = fixed;
  const noisy =
    to.sigma === 0
      ? algebra.linear([to.alpha, image])
      : algebra.linear([to.alpha, image], [to.sigma, drawn ?? (await noise({ from, to }))]);
  const x = algebra.linear([1, algebra.multiply(mask, noisy)], [1, algebra.multiply(hole, output.x)]);
  return { state: input.state, ...output, x };
}

function without<T>(state: SamplerState<T>): SamplerState<T> {
  const { [MASK]: _mask, [HOLE]: _hole, [IMAGE]: _image, ...values } = state.values;
  return { ...state, values };
}

/** Mask and image as states: made once, then remembered. */
function keptKnown<T>({ mask, image }: KnownPart, { x, algebra, state }: StepInput<T>): Fixed<T> {
  const { [MASK]: heldMask, [HOLE]: heldHole, [IMAGE]: heldImage } = state.values;
  if (heldMask !== undefined && heldHole !== undefined && heldImage !== undefined)
    return { mask: heldMask, hole: heldHole, image: heldImage };
  const hole = Array.from(mask, (value) => 1 - value);
  return {
    mask: filled('mask', mask, { x, algebra }),
    hole: filled('mask', hole, { x, algebra }),
    image: filled('image', image, { x, algebra }),
  };
}

function filled<T>(name: string, values: ArrayLike<number>, { x, algebra }: { readonly x: T; readonly algebra: Algebra<T> }): T {
  const size = algebra.size(x);
  const item = size / algebra.items(x);
  if (values.length !== size && values.length !== item) {
    throw new UserError(
      `[samplers/repaint] the ${name} does not fit the state: ${name}.length=${values.length}, an item has ${item} and the batch `
        + `${size}. Pass as many.`,
    );
  }
  return algebra.fromHost(
    Float64Array.from({ length: size }, (_, i) => values[i % values.length]!),
    x,
  );
}

function checkKnown(known: KnownPart): void {
  const holds = isObject(known) && isObject(known.mask) && isObject(known.image);
  checkKind('repaint', { name: 'known', value: known, holds, remedy: 'Pass { mask, image }: lists of numbers.' });
  const { mask, image } = known;
  const bad = Array.from(mask).findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0)
    throw new UserError(
      `[samplers/repaint] the mask must be in 0..1: mask[${bad}]=${String(mask[bad])}. Pass 1 where the image is known and 0 elsewhere.`,
    );
  const wrong = Array.from(image).findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new UserError(
      `[samplers/repaint] the image must be finite: image[${wrong}]=${String(image[wrong])}. Pass 0 where it is not known.`,
    );
}

/**
 * The number of base steps in a run over `levels.length - 1` steps, jumps included: a run of this sampler has as many evaluations as its
 * base in them.
 *
 * @example
 * repaintSteps(leading().levels(discreteVp(), { steps: 50 })); // => 410
 */
export function repaintSteps(
  levels: readonly NoiseLevel[],
  { jumpLength = 10, jumpSamples = 10 }: Pick<RepaintOptions, 'jumpLength' | 'jumpSamples'> = {},
): number {
  const steps = levels.length - 1;
  const noisy = levels.at(-1)!.sigma === 0 ? steps - 1 : steps;
  const jumps = Array.from({ length: noisy + 1 }, (_, reached) => reached).filter(
    (reached) => reached >= jumpLength && (noisy - reached) % jumpLength === 0,
  ).length;
  return steps + jumps * jumpLength * (jumpSamples - 1);
}
