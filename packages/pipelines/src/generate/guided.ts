import type { ConditionalDenoiser, Conditions, Denoiser } from '@langevin/core';
import { bindCondition } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import { cfg } from '@langevin/guidance';
import type { Engine, Tensor } from '@langevin/tensor';
import type { PromptConditions } from './product.ts';

export interface GuidedOptions {
  readonly guidance: number;
  readonly guidanceRescale: number;
  readonly told: PromptConditions;
  readonly engine?: Engine | undefined;
}

/** A network under some prompts: guided away from the negative ones, or as it is where there are none. */
export function guided(
  network: ConditionalDenoiser<Tensor, Conditions>,
  { guidance, guidanceRescale, told, engine }: GuidedOptions,
): Denoiser<Tensor> {
  const { conditions, negatives } = told;
  if (negatives === undefined) return bindCondition(network, conditions);
  return cfg({ scale: guidance, rescale: guidanceRescale }).guide({
    denoiser: network,
    algebra: tensorAlgebra(engine ? { engine } : {}),
    conditions: [conditions],
    none: negatives,
  });
}
