import {
  spacings,
  withoutPenultimate,
  type NoiseLevel,
  type NoiseProcess,
  type Registry,
  type Spacing,
  type SpacingOptions,
} from '@langevin/core-schedules';
import { didYouMean, UserError } from '@langevin/tensor';
import type { Sampler } from '../sampler.ts';
import { samplers } from '../solvers/index.ts';
import { a1111Samplers, a1111Spacings } from './a1111.ts';
import type { SamplerAlias, SpacingAlias } from './alias.ts';
import { comfyuiSamplers, comfyuiSpacings } from './comfyui.ts';

/** What a name stands for, ready to run. */
export interface ResolvedSampler {
  readonly sampler: Sampler;
  /** The spacing that is part of the name, as in "DPM++ 2M Karras". */
  readonly spacing?: Spacing;
  /** The noise that its program gives this sampler: brownianTreeNoise() rather than imageNoise(). */
  readonly noise?: 'brownian-tree';
  /** The levels of a spacing as the sampler's program places them: all of them, or without the last but one. */
  readonly levels: (spacing: Spacing, process: NoiseProcess, options: SpacingOptions) => readonly NoiseLevel[];
  /** Where the result differs from the other program's. */
  readonly note?: string;
}

export interface ResolveOptions {
  /** Options of the sampler; they go before those of an alias. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** @default the samplers of this package; plugins add to them with `samplers.with()` */
  readonly samplers?: Registry<Sampler>;
  readonly spacings?: Registry<Spacing>;
}

/**
 * The sampler of a name: one of this package (`dpmpp-2m`), of ComfyUI (`dpmpp_2m`), or of AUTOMATIC1111's web UI, with or without its
 * schedule (`DPM++ 2M Karras`). A name that this package has too (`deis`) is its own, with its own defaults.
 *
 * @throws UserError for an unknown name, with the nearest known one
 * @example
 * const { sampler, spacing } = resolveSampler('DPM++ 2M Karras');
 * sampler.name; // => 'dpmpp-2m'
 * spacing?.name; // => 'karras'
 */
export function resolveSampler(
  name: string,
  { options, samplers: known = samplers, spacings: grids = spacings }: ResolveOptions = {},
): ResolvedSampler {
  const make = (alias: SamplerAlias, spacing?: Spacing): ResolvedSampler =>
    Object.freeze({
      sampler: known.create(
        alias.sampler,
        alias.options === undefined && options === undefined ? undefined : { ...alias.options, ...options },
      ),
      levels: (chosen: Spacing, process: NoiseProcess, wanted: SpacingOptions) =>
        alias.grid === 'drop-penultimate'
          ? withoutPenultimate(chosen.levels(process, { ...wanted, steps: wanted.steps + 1 }))
          : chosen.levels(process, wanted),
      ...(spacing !== undefined && { spacing }),
      ...(alias.noise !== undefined && { noise: alias.noise }),
      ...(alias.note !== undefined && { note: alias.note }),
    });
  if (known.names.includes(name)) return make({ sampler: name });
  const alias = exact(comfyuiSamplers, name) ?? exact(a1111Samplers, name) ?? find(comfyuiSamplers, name) ?? find(a1111Samplers, name);
  if (alias !== undefined) return make(alias);
  for (const [ending, spacing] of entries<SpacingAlias>(a1111Spacings)) {
    const label = name.toLowerCase().endsWith(` ${ending.toLowerCase()}`)
      ? find(a1111Samplers, name.slice(0, -ending.length - 1))
      : undefined;
    if (label !== undefined) return make(label, grids.create(spacing.spacing, spacing.options));
  }
  const all = [...known.names, ...Object.keys(comfyuiSamplers), ...Object.keys(a1111Samplers)];
  throw new UserError(
    `[samplers/names] unknown sampler: "${name}".${didYouMean(name, all)} Known: ${known.names.join(', ')}; and the names of `
      + 'ComfyUI and AUTOMATIC1111.',
  );
}

/**
 * The spacing of a name: of this project (`sgm-uniform`), ComfyUI (`sgm_uniform`) or AUTOMATIC1111 (`SGM Uniform`). @throws UserError for
 * an unknown one
 *
 * @example
 * resolveSpacing('Align Your Steps').name; // => 'align-your-steps'
 */
export function resolveSpacing(
  name: string,
  { options, spacings: known = spacings }: Pick<ResolveOptions, 'options' | 'spacings'> = {},
): Spacing {
  const alias: SpacingAlias | undefined = known.names.includes(name)
    ? { spacing: name }
    : (find(comfyuiSpacings, name) ?? find(a1111Spacings, name));
  if (alias !== undefined)
    return known.create(alias.spacing, alias.options === undefined && options === undefined ? undefined : { ...alias.options, ...options });
  const all = [...known.names, ...Object.keys(comfyuiSpacings), ...Object.keys(a1111Spacings)];
  throw new UserError(
    `[samplers/names] unknown spacing: "${name}".${didYouMean(name, all)} Known: ${known.names.join(', ')}; and the names of `
      + 'ComfyUI and AUTOMATIC1111.',
  );
}

function entries<V>(table: Readonly<Record<string, V>>): readonly (readonly [string, V])[] {
  return Object.entries(table);
}

function exact<V>(table: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Labels are written with capitals or without. */
function find<V>(table: Readonly<Record<string, V>>, name: string): V | undefined {
  return exact(table, name) ?? entries(table).find(([label]) => label.toLowerCase() === name.toLowerCase())?.[1];
}
