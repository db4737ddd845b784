import type { Sampler } from '@langevin/core';
import type { Spacing } from '@langevin/core-schedules';
import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { usualSpacing } from '../sample-images.ts';
import type { GenerateOptions } from './options.ts';
import type { OpenProduct } from './product.ts';
import type { CheckedStart } from './start-options.ts';

const WHERE = 'pipelines/generate';
const WORDS = ['sampler', 'set', 'spacing', 'setSpacing'] as const satisfies readonly (keyof SamplerWords)[];

/** How a sampler and its levels are named on a command line. */
export interface SamplerWords {
  readonly sampler: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly spacing?: string;
  readonly setSpacing?: Readonly<Record<string, unknown>>;
}

/** A sampler, and which levels it visits. */
export interface SamplerLead {
  readonly sampler: Sampler;
  readonly spacing: Spacing;
  readonly words: SamplerWords;
}

/** The sampler that leads, where one is given. @throws UserError for options that do not go together with it */
export function samplerLead(
  options: Pick<GenerateOptions, 'sampler' | 'spacing' | 'samplerWords' | 'scheduler' | 'eta'>,
  { model, start }: { readonly model: OpenProduct; readonly start: CheckedStart | undefined },
): SamplerLead | undefined {
  const { sampler, spacing, samplerWords } = options;
  if (sampler === undefined) {
    for (const [name, value] of Object.entries({ spacing, samplerWords }))
      if (value !== undefined)
        throw new UserError(`[${WHERE}] ${name} is of a sampler, and there is none: ${name}=${shownValue(value)}. Pass sampler too.`);
    return undefined;
  }
  if (typeof sampler !== 'object' || sampler === null || typeof sampler.step !== 'function')
    throw new UserError(`[${WHERE}] this is no sampler: sampler=${shownValue(sampler)}. Pass one of @langevin/samplers, such as heun().`);
  if (spacing !== undefined && (typeof spacing !== 'object' || spacing === null || typeof spacing.levels !== 'function'))
    throw new UserError(
      `[${WHERE}] this is no spacing: spacing=${shownValue(spacing)}. Pass one of @langevin/core-schedules, such as karras().`,
    );
  for (const name of ['scheduler', 'eta'] as const)
    if (options[name] !== undefined)
      throw new UserError(
        `[${WHERE}] a sampler takes the place of the scheduler: sampler=${sampler.name}, ${name}=${shownValue(options[name])}. `
          + `Leave one out.`,
      );
  if (start?.masks !== undefined && model.fills === 'blended')
    throw new UserError(
      `[${WHERE}] what is outside of a mask is put back by schedulers of diffusers alone: sampler=${sampler.name}. Leave sampler out, or `
        + 'take a model that was made for masks.',
    );
  if (samplerWords !== undefined && typeof readOptions(WHERE, samplerWords, WORDS).sampler !== 'string')
    throw new UserError(`[${WHERE}] the sampler has no name: samplerWords.sampler=${shownValue(samplerWords.sampler)}. Pass { sampler }.`);
  const visited = spacing ?? usualSpacing(model.noise);
  return { sampler, spacing: visited, words: samplerWords ?? { sampler: sampler.name, spacing: visited.name } };
}
