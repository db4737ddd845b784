import { arrayAlgebra, type Algebra } from '@langevin/core-schedules';
import { didYouMean, UnsupportedError, UserError } from '@langevin/tensor';
import { schedulerClasses } from './classes/index.ts';
import { show } from './config.ts';
import type { SchedulerClass } from './scheduler-class.ts';
import { createScheduler, type DiffusersScheduler } from './scheduler.ts';

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
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UserError(
      `[samplers/compat] a scheduler config is an object: config=${show(config)}. Pass the parsed scheduler_config.json.`,
    );
  }
  const given = config as Readonly<Record<string, unknown>>;
  const name = given._class_name;
  if (typeof name !== 'string')
    throw new UserError(
      `[samplers/compat] the config does not name its class: _class_name=${show(name)}. Pass the parsed scheduler_config.json.`,
    );
  const definition = classes.get(name);
  if (definition === undefined) {
    if (Object.hasOwn(ABSENT, name))
      throw new UnsupportedError(`[samplers/compat] ${name} has no counterpart here. ${ABSENT[name]} Use another class.`);
    throw new UserError(
      `[samplers/compat] unknown scheduler class: _class_name=${show(name)}.${didYouMean(name, schedulerClassNames)} Known: `
        + `${schedulerClassNames.join(', ')}.`,
    );
  }
  return createScheduler(definition, {
    given,
    algebra: options.algebra ?? (arrayAlgebra() as unknown as Algebra<T>),
    nested: (inner) => fromDiffusersConfig(inner, options),
  });
}
