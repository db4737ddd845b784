import type { ConditionalDenoiser, Conditions, Denoiser } from '@langevin/core';
import { bindCondition } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import { cfg } from '@langevin/guidance';
import type { Engine, Tensor } from '@langevin/tensor';
import type { PromptConditions } from './product.ts';

export interface GuidedOptions {
  readonly network: ConditionalDenoiser<Tensor, Conditions>;
  readonly guidance: number;
  readonly guidanceRescale: number;
  /** What the network is told for the prompts, and `always`, whatever the prompt. */
  readonly told: Pick<PromptConditions, 'conditions' | 'negatives'> & { readonly always: Conditions };
  readonly engine?: Engine | undefined;
}

/** A network under some prompts: guided away from the negative ones, or as it is where there are none. */
export function guided({ network, guidance, guidanceRescale, told, engine }: GuidedOptions): Denoiser<Tensor> {
  const conditions = { ...told.conditions, ...told.always };
  if (told.negatives === undefined) return bindCondition(network, conditions);
  return cfg({ scale: guidance, rescale: guidanceRescale, asked: 'all' }).guide({
    denoiser: network,
    algebra: tensorAlgebra(engine ? { engine } : {}),
    conditions: [conditions],
    none: { ...told.negatives, ...told.always },
  });
}
