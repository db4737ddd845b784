import type { Factory, Sampler, StepInput } from '@langevin/core';
import type { BackbonePlugin } from '@langevin/backbones';
import type { Spacing } from '@langevin/core-schedules';
import type { DataPlugin } from '@langevin/io';
import { errorKind, UserError } from '@langevin/tensor';

/** Whose code runs. */
export interface Blame {
  /** As it was named on the command line. */
  readonly plugin: string;
  /** What of it: `sampler "mine"`. */
  readonly part: string;
}

/** Errors that went through a plugin's code and come from ours: they are told as they are. */
const passing = new WeakSet<Error>();

/** What goes wrong in a plugin is its fault, not a bug of Langevin; errors that say what to do are told as they are. */
function blamed(error: unknown, { plugin, part }: Blame): unknown {
  if (errorKind(error) !== undefined || (error instanceof Error && passing.has(error))) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new UserError(
    `[cli/plugin] plugin failed: plugin=${plugin}, ${part}, ${what}. Correct the plugin; LANGEVIN_DEBUG=1 shows where.`,
    {
      cause: error,
    },
  );
}

/** The work's value, or an error that names the plugin. */
export function guarded<T>(blame: Blame, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw blamed(error, blame);
  }
}

async function guardedLater<T>(blame: Blame, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw blamed(error, blame);
  }
}

/** A part whose functions, as they are called, are the plugin's: what they throw or reject with names it. */
export function guardFunctions<V extends object>(part: V, blame: Blame): V {
  if (typeof part !== 'object' || part === null) return part;
  const watched = Object.entries(part).map(([key, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [key, value] as const;
    const call = value as (...args: readonly unknown[]) => unknown;
    return [
      key,
      (...args: readonly unknown[]) => {
        const result = guarded(blame, () => call.apply(part, [...args]));
        return result instanceof Promise ? guardedLater(blame, () => result) : result;
      },
    ] as const;
  });
  return Object.freeze(Object.fromEntries(watched)) as V;
}

/** A factory, and what it makes. */
export function guardFactory<V>(make: Factory<V>, { blame, guard }: { readonly blame: Blame; readonly guard: (made: V) => V }): Factory<V> {
  const made = (options: never): V => guarded(blame, () => guard(make(options)));
  return make.options === undefined ? made : Object.assign(made, { options: make.options });
}

export function guardSampler(sampler: Sampler, blame: Blame): Sampler {
  // What is no sampler is refused where it is used, with more to say.
  if (typeof sampler?.step !== 'function') return sampler;
  return Object.freeze({ ...sampler, step: <T>(input: StepInput<T>) => guardedLater(blame, async () => sampler.step(ours(input))) });
}

/** A step's input whose errors are not the plugin's. */
function ours<T>(input: StepInput<T>): StepInput<T> {
  const mark = async <R>(work: Promise<R>): Promise<R> =>
    work.catch((error: unknown) => {
      if (error instanceof Error) passing.add(error);
      throw error;
    });
  return {
    ...input,
    denoise: (x, at) => mark(input.denoise(x, at)),
    detail: (part, x, at) => mark(input.detail(part, x, at)),
    noise: (interval) => mark(input.noise(interval)),
  };
}

export function guardSpacing(spacing: Spacing, blame: Blame): Spacing {
  if (typeof spacing?.levels !== 'function') return spacing;
  return { ...spacing, levels: (process, options) => guarded(blame, () => spacing.levels(process, options)) };
}

export function guardData(data: DataPlugin<never>, blame: Blame): DataPlugin<never> {
  return {
    ...data,
    parts: (options) => guarded(blame, () => data.parts(options)),
    open: (options, context) =>
      guardedLater(blame, async () => {
        const source = await data.open(options, context);
        return { ...source, load: (i) => guardedLater(blame, async () => source.load(i)) };
      }),
  };
}

export function guardBackbone(backbone: BackbonePlugin, blame: Blame): BackbonePlugin {
  return {
    ...backbone,
    parse: (config, options) =>
      guarded(blame, () => {
        const network = backbone.parse(config, options);
        return {
          ...network,
          init: (generator) => guarded(blame, () => network.init(generator)),
          apply: (...args) => guarded(blame, () => network.apply(...args)),
        };
      }),
  };
}
