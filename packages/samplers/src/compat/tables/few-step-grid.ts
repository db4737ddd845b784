import { UserError } from '@langevin/tensor';
import { linspaceOpen, torchLinspace } from '../float32.ts';

interface DistilledRequest {
  readonly numInferenceSteps?: number;
  readonly timesteps?: readonly number[];
  readonly originalInferenceSteps?: number;
  readonly strength?: number;
}

interface DistilledTimes {
  readonly num_train_timesteps: number;
  readonly original_inference_steps: number;
}

/**
 * Timesteps of networks distilled on a coarse chain (LCM, TCD): every k-th step counted from 1, cut by strength, and of these as
 * many as are asked for.
 *
 * @param fine TCD's reading of originalInferenceSteps: when given, all steps of the chain are candidates
 * @throws UserError when more steps are asked for than there are
 */
export function distilledTimesteps(
  name: string,
  { num_train_timesteps: train, original_inference_steps }: DistilledTimes,
  request: DistilledRequest & { readonly fine?: boolean },
): { readonly timesteps: readonly number[]; readonly count: number } {
  const { numInferenceSteps: steps, timesteps, originalInferenceSteps, strength = 1, fine = false } = request;
  const fail = (what: string): never => {
    throw new UserError(`[samplers/compat] ${name}: ${what}`);
  };
  if ((steps === undefined) === (timesteps === undefined))
    return fail('a run is given by a number of steps or by its timesteps: numInferenceSteps and timesteps. Pass exactly one.');
  if (!(strength > 0 && strength <= 1))
    return fail(`strength is a share of the chain: strength=${strength}. Pass a number above 0, at most 1.`);
  const original = originalInferenceSteps ?? original_inference_steps;
  if (original > train)
    return fail(
      `the coarse chain is a part of the chain: originalInferenceSteps=${original}, num_train_timesteps=${train}. Pass at most ${train}.`,
    );
  if (timesteps !== undefined) {
    const wrong = timesteps.findIndex((t, i) => !Number.isInteger(t) || t < 0 || t >= train || (i > 0 && t >= timesteps[i - 1]!));
    if (wrong >= 0)
      return fail(
        `custom timesteps are whole, fall strictly and lie on the chain: timesteps[${wrong}]=${timesteps[wrong]}. Pass numbers in `
          + `${train - 1}..0.`,
      );
    const kept = Math.min(Math.trunc(timesteps.length * strength), timesteps.length);
    return { timesteps: timesteps.slice(timesteps.length - kept), count: timesteps.length };
  }
  const count = steps!;
  const stride = Math.floor(train / original);
  const candidates =
    fine && originalInferenceSteps !== undefined
      ? Array.from({ length: Math.trunc(train * strength) }, (_, i) => i)
      : Array.from({ length: Math.trunc(original * strength) }, (_, i) => (i + 1) * stride - 1);
  if (count > Math.min(candidates.length, original))
    return fail(
      `there are not so many steps: numInferenceSteps=${count}, of ${original} original steps at strength ${strength}. Take fewer `
        + 'steps, a greater strength or more originalInferenceSteps.',
    );
  const falling = candidates.reverse();
  return { timesteps: [...linspaceOpen(0, falling.length, count)].map((place) => falling[Math.floor(place)]!), count };
}

interface ConsistencyGridConfig {
  readonly num_train_timesteps: number;
  readonly sigma_min: number;
  readonly sigma_max: number;
  readonly rho: number;
}

/** Sigmas of consistency models: Karras' levels at every k-th index of the chain, then sigma_min; timesteps 250 ln sigma in float64. */
export function consistencyGrid(
  name: string,
  { num_train_timesteps: train, sigma_min, sigma_max, rho }: ConsistencyGridConfig,
  request: { readonly numInferenceSteps?: number; readonly timesteps?: readonly number[] },
): { readonly timesteps: readonly number[]; readonly sigmas: readonly number[] } {
  const { numInferenceSteps: steps, timesteps } = request;
  const fail = (what: string): never => {
    throw new UserError(`[samplers/compat] ${name}: ${what}`);
  };
  if ((steps === undefined) === (timesteps === undefined))
    return fail('a run is given by a number of steps or by its timesteps: numInferenceSteps and timesteps. Pass exactly one.');
  if (steps !== undefined && steps > train)
    return fail(
      `there are no more steps than the chain has: numInferenceSteps=${steps}, num_train_timesteps=${train}. Pass at most ${train}.`,
    );
  const wrong = timesteps?.findIndex((t, i) => !Number.isInteger(t) || t < 0 || t >= train || (i > 0 && t >= timesteps[i - 1]!)) ?? -1;
  if (wrong >= 0)
    return fail(
      `custom timesteps are whole, fall strictly and lie on the chain: timesteps[${wrong}]=${timesteps![wrong]}. Pass numbers in `
        + `${train - 1}..0.`,
    );
  const rising =
    timesteps === undefined ? Array.from({ length: steps! }, (_, i) => i * Math.floor(train / steps!)) : [...timesteps].reverse();
  const [low, high] = [sigma_min ** (1 / rho), sigma_max ** (1 / rho)];
  const sigmas = rising.map((index) => (high + (index / (train - 1)) * (low - high)) ** rho);
  return { timesteps: sigmas.map((sigma) => 250 * Math.log(sigma + 1e-44)), sigmas: [...Float32Array.from([...sigmas, sigma_min])] };
}

/** Angles of TrigFlow in float32: given ones, two with one between, or evenly from the greatest to 0. */
export function trigflowAngles(
  name: string,
  train: number,
  request: {
    readonly numInferenceSteps?: number;
    readonly timesteps?: readonly number[];
    readonly maxTimesteps?: number | null;
    readonly intermediateTimesteps?: number | null;
  },
): number[] {
  const fail = (what: string): never => {
    throw new UserError(`[samplers/compat] ${name}: ${what}`);
  };
  const { numInferenceSteps: steps, timesteps } = request;
  if (steps === undefined) return fail('the number of steps is needed: numInferenceSteps=undefined. Pass it, beside timesteps too.');
  const {
    maxTimesteps = timesteps === undefined ? 1.5708 : null,
    intermediateTimesteps = steps === 2 && timesteps === undefined ? 1.3 : null,
  } = request;
  if (steps > train)
    return fail(
      `there are no more steps than the chain has: numInferenceSteps=${steps}, num_train_timesteps=${train}. Pass at most ${train}.`,
    );
  if (timesteps !== undefined && timesteps.length !== steps + 1)
    return fail(`custom timesteps include both ends: timesteps.length=${timesteps.length}, numInferenceSteps=${steps}. Pass ${steps + 1}.`);
  if (timesteps !== undefined && maxTimesteps !== null)
    return fail(`custom timesteps have their own greatest one: maxTimesteps=${maxTimesteps}. Leave it out.`);
  if (intermediateTimesteps !== null && steps !== 2)
    return fail(
      `an intermediate timestep belongs to two steps: intermediateTimesteps=${intermediateTimesteps}, numInferenceSteps=${steps}. `
        + 'Leave it out.',
    );
  if (timesteps !== undefined) return [...Float32Array.from(timesteps)];
  if (maxTimesteps === null) return fail('the greatest timestep is needed: maxTimesteps=null. Pass pi / 2.');
  return [
    ...(intermediateTimesteps === null
      ? torchLinspace(maxTimesteps, 0, steps + 1)
      : Float32Array.of(maxTimesteps, intermediateTimesteps, 0)),
  ];
}
