import type { Sampler } from '@langevin/core';
import type { Spacing } from '@langevin/core-schedules';
import { resolveSampler, resolveSpacing } from '@langevin/samplers/compat';
import type { Registries } from './families.ts';
import { needsGuidance } from './needs-guidance.ts';
import { withNested } from './nested.ts';

/** How a command line names a sampler and the levels that it visits. */
export interface SamplerWords {
  readonly sampler?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly spacing?: string;
  readonly setSpacing?: Readonly<Record<string, unknown>>;
}

export interface ChosenSampler {
  readonly asked: string;
  readonly sampler: Sampler;
  readonly spacing: Spacing;
  /** What a user should know of the name. */
  readonly note: string | undefined;
  /** The noise that the program takes whose name it is. */
  readonly noise: string | undefined;
  /** Whether it looks at the prediction without condition. */
  readonly wantsGuidance: boolean;
}

/** Sampler and spacing by the names that were given, or the usual ones. */
export async function chooseSampler(
  words: SamplerWords,
  { registries, usual }: { readonly registries: Registries; readonly usual: { readonly sampler: string; readonly spacing: string } },
): Promise<ChosenSampler> {
  const asked = words.sampler ?? usual.sampler;
  const { sampler, levels, note, noise, ...named } = resolveSampler(asked, {
    program: 'langevin',
    ...registries,
    ...(words.set && { options: withNested(words.set, registries) }),
  });
  // Options are for a spacing that is made here: the one that a sampler's name brings along is made anew.
  const chosen =
    words.spacing === undefined && words.setSpacing === undefined && named.spacing
      ? named.spacing
      : resolveSpacing(words.spacing ?? named.spacing?.name ?? usual.spacing, {
          ...registries,
          ...(words.setSpacing && { options: words.setSpacing }),
        });
  const spacing: Spacing = { name: chosen.name, levels: (process, wanted) => levels(chosen, process, wanted) };
  return { asked, sampler, spacing, note, noise, wantsGuidance: await needsGuidance(sampler) };
}
