import type { NoiseLevel, Registry, Sampler } from '@langevin/core';
import { spacings, withoutPenultimate, type NoiseProcess, type Spacing, type SpacingOptions } from '@langevin/core-schedules';
import { didYouMean, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
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

/** Whose names a name may be. */
export type NamingProgram = 'langevin' | 'comfyui' | 'a1111';

export interface ResolveOptions {
  /** Options of the sampler; they go before those of an alias. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * Whose name it is where several programs have it: `lms` is ComfyUI's, which ends with a step of first order, and `langevin`'s, which
   * does not. The others are looked through after it.
   * @default ComfyUI, then AUTOMATIC1111, then this package, whose own names `samplers.create()` takes
   */
  readonly program?: NamingProgram;
  /** @default the samplers of this package; plugins add to them with `samplers.with()` */
  readonly samplers?: Registry<Sampler>;
  readonly spacings?: Registry<Spacing>;
}

const PROGRAMS: readonly NamingProgram[] = ['comfyui', 'a1111', 'langevin'];

/** The programs in the order in which a name is looked for. */
function lookedThrough(program: NamingProgram | undefined): readonly NamingProgram[] {
  if (program === undefined) return PROGRAMS;
  checkChoice('names', { program }, PROGRAMS);
  return [program, ...PROGRAMS.filter((other) => other !== program)];
}

/**
 * The sampler of a name: of ComfyUI (`dpmpp_2m`), of AUTOMATIC1111's web UI, with or without its schedule (`DPM++ 2M Karras`), or of this
 * package (`dpmpp-2m`). What a name stands for is what that program does; where it is not, `note` says so.
 *
 * @throws UserError for what is no name or an unknown one, with the nearest known one
 * @example
 * const { sampler, spacing } = resolveSampler('DPM++ 2M Karras');
 * sampler.name; // => 'dpmpp-2m'
 * spacing?.name; // => 'karras'
 */
export function resolveSampler(name: string, given: ResolveOptions = {}): ResolvedSampler {
  checkText(name, 'sampler', 'heun');
  const { options, program, samplers: known = samplers, spacings: grids = spacings } = readOptions('samplers/names', given);
  const own = options === undefined ? undefined : readOptions('samplers/names', options);
  const make = (alias: SamplerAlias, spacing?: Spacing): ResolvedSampler =>
    Object.freeze({
      sampler: known.create(alias.sampler, alias.options === undefined && own === undefined ? undefined : { ...alias.options, ...own }),
      levels: (chosen: Spacing, process: NoiseProcess, wanted: SpacingOptions) =>
        alias.grid === 'drop-penultimate'
          ? withoutPenultimate(chosen.levels(process, { ...wanted, steps: wanted.steps + 1 }))
          : chosen.levels(process, wanted),
      ...(spacing !== undefined && { spacing }),
      ...(alias.noise !== undefined && { noise: alias.noise }),
      ...(alias.note !== undefined && { note: alias.note }),
    });
  const order = lookedThrough(program);
  const tables: Readonly<Record<NamingProgram, Readonly<Record<string, SamplerAlias>>>> = {
    langevin: Object.fromEntries(known.names.map((each) => [each, { sampler: each }])),
    comfyui: comfyuiSamplers,
    a1111: a1111Samplers,
  };
  const alias = lookUp(
    order.map((each) => tables[each]),
    name,
  );
  if (alias !== undefined) return make(alias);
  for (const [ending, spacing] of entries<SpacingAlias>(a1111Spacings)) {
    const label = name.toLowerCase().endsWith(` ${ending.toLowerCase()}`)
      ? find(a1111Samplers, name.slice(0, -ending.length - 1))
      : undefined;
    if (label !== undefined) return make(label, grids.create(spacing.spacing, spacing.options));
  }
  throw unknownName('sampler', name, { known: known.names, also: [...Object.keys(comfyuiSamplers), ...Object.keys(a1111Samplers)] });
}

/**
 * The spacing of a name: of this project (`sgm-uniform`), ComfyUI (`sgm_uniform`) or AUTOMATIC1111 (`SGM Uniform`).
 *
 * @throws UserError for what is no name or an unknown one, with the nearest known one
 * @example
 * resolveSpacing('Align Your Steps').name; // => 'align-your-steps'
 */
export function resolveSpacing(name: string, given: Pick<ResolveOptions, 'options' | 'spacings'> = {}): Spacing {
  checkText(name, 'spacing', 'karras');
  const { options, spacings: known = spacings } = readOptions('samplers/names', given);
  const alias: SpacingAlias | undefined = known.names.includes(name)
    ? { spacing: name }
    : (find(comfyuiSpacings, name) ?? find(a1111Spacings, name));
  if (alias !== undefined)
    return known.create(alias.spacing, alias.options === undefined && options === undefined ? undefined : { ...alias.options, ...options });
  throw unknownName('spacing', name, { known: known.names, also: [...Object.keys(comfyuiSpacings), ...Object.keys(a1111Spacings)] });
}

function checkText(name: unknown, kind: string, example: string): void {
  if (typeof name === 'string') return;
  throw new UserError(`[samplers/names] the name of a ${kind} is text: name=${shownValue(name)}. Pass a name, such as '${example}'.`);
}

function unknownName(
  kind: string,
  name: string,
  { known, also }: { readonly known: readonly string[]; readonly also: readonly string[] },
): UserError {
  return new UserError(
    `[samplers/names] unknown ${kind}: ${shownValue(name)}.${didYouMean(name, [...known, ...also])} Known: ${known.join(', ')}; and the `
      + 'names of ComfyUI and AUTOMATIC1111.',
  );
}

/** A name as it is written in any table goes before the same name with other capitals. */
function lookUp<V>(tables: readonly Readonly<Record<string, V>>[], name: string): V | undefined {
  for (const table of tables) if (Object.hasOwn(table, name)) return table[name];
  for (const table of tables) {
    const found = find(table, name);
    if (found !== undefined) return found;
  }
  return undefined;
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
