import type { Algebra } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { didYouMean, UnsupportedError, UserError } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import { schedulerClasses } from './classes/index.ts';
import type { SchedulerClass } from './scheduler-class.ts';
import type { DiffusersScheduler } from './diffusers-scheduler.ts';
import { createScheduler } from './scheduler.ts';

const TOKENS = 'It samples tokens from logits, and those are no noisy states x = alpha x0 + sigma epsilon.';

/** Classes that are not here, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  AmusedScheduler: TOKENS,
  BlockRefinementScheduler: TOKENS,
  DiscreteDDIMScheduler: TOKENS,
  EntropyBoundScheduler: TOKENS,
  VQDiffusionScheduler: TOKENS,
};

const classes: ReadonlyMap<string, SchedulerClass> = /* @__PURE__ */ new Map(schedulerClasses.map((each) => [each.name, each]));

/**
 * The Python classes that {@link fromDiffusersConfig} makes.
 *
 * @example
 * schedulerClassNames.includes('UniPCMultistepScheduler'); // => true
 */
export const schedulerClassNames: readonly string[] = /* @__PURE__ */ Object.freeze([...classes.keys()].sort());

export interface FromDiffusersConfigOptions<T> {
  /** How states are combined. @default arrayAlgebra(), for a Float32Array or Float64Array of one item */
  readonly algebra?: Algebra<T>;
}

/**
 * A scheduler with diffusers' stepping interface from a scheduler_config.json, so that Python code moves across line by line.
 * Tables are float32 by diffusers' own rules, defects of its step rules included; the steps are taken by the samplers of this package.
 *
 * Keys that the class does not know have no effect and are listed in `unknownKeys`.
 *
 * @throws UserError for an unknown class, with the nearest known one, and for values out of range; UnsupportedError for classes that
 *   do not sample from noise levels
 * @example
 * const scheduler = fromDiffusersConfig({ _class_name: 'EulerDiscreteScheduler', beta_schedule: 'scaled_linear' });
 * scheduler.setTimesteps(4);
 * scheduler.timesteps; // => [999, 666, 333, 0]
 */
export function fromDiffusersConfig<T = Float32Array>(config: unknown, options: FromDiffusersConfigOptions<T> = {}): DiffusersScheduler<T> {
  if (typeof options !== 'object' || options === null)
    throw new UserError(`[samplers/compat] options are an object: options=${showEntry(options)}. Pass { algebra }, or leave them out.`);
  return schedulerOf(config, { algebra: options.algebra ?? (arrayAlgebra() as unknown as Algebra<T>), depth: 0 });
}

/** A scheduler may hold another one as its predictor; diffusers' own hold one that holds none. */
const MAX_DEPTH = 4;

function schedulerOf<T>(
  config: unknown,
  { algebra, depth }: { readonly algebra: Algebra<T>; readonly depth: number },
): DiffusersScheduler<T> {
  if (depth > MAX_DEPTH)
    throw new UserError(
      `[samplers/compat] schedulers within schedulers go too deep: solver_p=${depth} levels. Pass at most ${MAX_DEPTH}; see that no config `
        + 'holds itself.',
    );
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UserError(
      `[samplers/compat] a scheduler config is an object: config=${showEntry(config)}. Pass the parsed scheduler_config.json.`,
    );
  const given = config as Readonly<Record<string, unknown>>;
  const name = given._class_name;
  if (typeof name !== 'string')
    throw new UserError(
      `[samplers/compat] the config does not name its class: _class_name=${showEntry(name)}. Pass the parsed scheduler_config.json.`,
    );
  const definition = classes.get(name);
  if (definition === undefined) {
    if (Object.hasOwn(ABSENT, name))
      throw new UnsupportedError(`[samplers/compat] ${name} has no counterpart here. ${ABSENT[name]} Use another class.`);
    throw new UserError(
      `[samplers/compat] unknown scheduler class: _class_name=${showEntry(name)}.${didYouMean(name, schedulerClassNames)} Known: `
        + `${schedulerClassNames.join(', ')}.`,
    );
  }
  return createScheduler(definition, { given, algebra, nested: (inner) => schedulerOf(inner, { algebra, depth: depth + 1 }) });
}
