import {
  type Algebra,
  type Denoiser,
  type DetailedPrediction,
  type DetailPart,
  isLevelList,
  type NoiseLevels,
  type Sampler,
  type StepInput,
} from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { notFinite } from './finite.ts';

export interface EvaluationsOptions<T> {
  readonly sampler: Sampler;
  readonly denoise: Denoiser<T>;
  readonly algebra: Algebra<T>;
  readonly signal: AbortSignal | undefined;
  /** Which step of which run asks, for messages. */
  readonly here: string;
  /** Whether each prediction is looked at for NaN and Infinity, beyond what its form shows. */
  readonly watched: boolean;
  /** Told how many network evaluations each call took. */
  readonly count: (evaluations: number) => void;
}

/** The ways in which a step may ask the denoiser: aborted when the caller says so, counted, and results checked. */
export function evaluations<T>({
  sampler,
  denoise,
  algebra,
  signal,
  here,
  watched,
  count,
}: EvaluationsOptions<T>): Pick<StepInput<T>, 'denoise' | 'detail'> {
  const begin = (at: NoiseLevels): void => {
    signal?.throwIfAborted();
    count(denoise.nfe(at));
  };
  const check = async (value: T, x: T, { at, part = 'result' }: { at: NoiseLevels; part?: string }): Promise<void> => {
    const wrong = algebra.complaint(value, x) ?? (watched ? await complaintOf(algebra, value) : undefined);
    if (wrong === undefined) return;
    throw new UserError(
      `[samplers/trajectory] the denoiser's ${part} cannot be used at ${here}: ${wrong}; at ${showLevels(at)}. `
        + 'Return finite values in the form of x.',
    );
  };
  return {
    denoise: async (x, at) => {
      begin(at);
      const denoised = await denoise(x, at);
      await check(denoised, x, { at });
      return denoised;
    },
    detail: async <Part extends DetailPart>(part: Part, x: T, at: NoiseLevels) => {
      begin(at);
      const detailed = await denoise.detailed(x, at);
      if (detailed[part] === undefined) {
        throw new UserError(
          `[samplers/${sampler.name}] the sampler needs the ${part} part of each evaluation, which the denoiser does not give, at `
            + `${here}: parts=${Object.keys(detailed).join(', ')}. ${REMEDY[part]}`,
        );
      }
      await check(detailed.denoised, x, { at });
      await check(detailed[part], x, { at, part: `${part} part` });
      return detailed as DetailedPrediction<T> & { readonly [P in Part]: T };
    },
  };
}

async function complaintOf<T>(algebra: Algebra<T>, value: T): Promise<string | undefined> {
  const items = await notFinite(algebra, value);
  return items.length === 0 ? undefined : `images ${items.join(', ')} of the batch hold NaN or Infinity`;
}

const REMEDY: Record<DetailPart, string> = {
  unconditional: 'Pass a guided denoiser, or a sampler without CFG++.',
  variance: 'Pass a denoiser of a network that learned variances, or choose a fixed variance.',
};

function showLevels(at: NoiseLevels): string {
  if (!isLevelList(at)) return `alpha=${at.alpha}, sigma=${at.sigma}`;
  return `${at.length} levels, the first alpha=${at[0]?.alpha}, sigma=${at[0]?.sigma}`;
}
