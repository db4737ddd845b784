import type { Registry } from '@langevin/core';
import {
  likelihoodWeight,
  lossWeights,
  noiseDistributions,
  plainWeight,
  preconditionings,
  predictionPreconditioning,
  predictions,
  processes,
  spreads,
  type LossWeight,
  type NoiseDistribution,
  type NoiseProcess,
  type Prediction,
  type Preconditioning,
  type Spread,
} from '@langevin/core-schedules';
import { didYouMean, readOptions, UserError } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import * as v from 'valibot';

const named = v.looseObject({ name: v.string() });

/** An entry with what docs/training-config.md says of it. */
function entry<const Schema extends v.GenericSchema>(schema: Schema, text: string) {
  return v.pipe(schema, v.description(text));
}

/** How noise enters a training run, as its configuration says it: each part is chosen by name, with its own options beside it. */
export const noiseSchema = v.strictObject({
  process: entry(
    v.optional(named, { name: 'edm' }),
    'A noise process by `name`, with its options: `edm`, `flow`, `vp-linear`, `vp-cosine`, `discrete-vp`, `ve`, `sub-vp`, `trigflow`.',
  ),
  prediction: entry(
    v.optional(v.picklist(predictions)),
    'What the network predicts on the states of the process; without it flow for `flow`, else epsilon.',
  ),
  preconditioning: entry(
    v.optional(named),
    'Instead of a prediction: `edm`, `trigflow`, `flow-matching`, ...; without it `edm` for the process of that name, `trigflow` likewise.',
  ),
  levels: entry(
    v.optional(named),
    'Which noise levels are trained on: `log-normal`, `uniform`, `logit-normal`, ...; without it `log-normal` for `edm`, else `uniform`.',
  ),
  weight: entry(
    v.optional(named),
    "How errors count: a loss weight by name, `likelihood`, or `plain`, the squared error of the network's own output; without it `plain`.",
  ),
  spread: entry(
    v.optional(v.picklist(spreads), 'stratified'),
    'How the levels of a batch lie to each other; `stratified` covers all of them in each batch.',
  ),
  variance: entry(
    v.optional(v.picklist(['fixed', 'learned']), 'fixed'),
    'Whether the network gives the variance of the reverse steps too, in as many channels more; needs a process with steps.',
  ),
});

export type NoiseConfig = v.InferInput<typeof noiseSchema>;

/** How noise enters a training run. */
export interface NoiseRecipe {
  /** The configuration that it was made from, which models are saved with. */
  readonly config: NoiseConfig;
  readonly process: NoiseProcess;
  /** What the network predicts, where it is one of the field's five; undefined where a preconditioning says more. */
  readonly prediction?: Prediction;
  readonly preconditioning: Preconditioning;
  readonly levels: NoiseDistribution;
  readonly weight: LossWeight;
  readonly spread: Spread;
  readonly variance: 'fixed' | 'learned';
}

/** A choice from a configuration: a name, and options beside it. */
type Choice = v.InferOutput<typeof named>;

/** Where a recipe finds its parts by name: add those of plugins to the built-in ones with `with()`. */
export interface NoiseParts {
  readonly processes: Registry<NoiseProcess>;
  readonly preconditionings: Registry<Preconditioning>;
  readonly levels: Registry<NoiseDistribution>;
  readonly weights: Registry<LossWeight>;
}

const BUILT_IN: NoiseParts = { processes, preconditionings, levels: noiseDistributions, weights: lossWeights };

/**
 * The parts that a configuration names.
 *
 * @param config as JSON holds it; what it leaves out is what the paper of the process does
 * @param parts registries to choose from. @default those of @langevin/core-schedules
 * @throws UserError naming the entry that is wrong, with what is known
 * @example
 * const { process, prediction, weight } = noiseRecipe({ process: { name: 'flow' }, levels: { name: 'logit-normal' } });
 * [process.name, prediction, weight.name]; // => ['flow', 'flow', 'plain']
 */
export function noiseRecipe(config: unknown = {}, parts: Partial<NoiseParts> = {}): NoiseRecipe {
  const known: NoiseParts = { ...BUILT_IN, ...parts };
  if (Array.isArray(config)) throw fault('entry is not valid: noise=a list. Give an object.');
  const parsed = v.safeParse(noiseSchema, config);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue) ?? 'noise';
    throw fault(`entry is not valid: ${path}=${issue.input === undefined ? 'nothing' : showEntry(issue.input)}. ${issue.message}.`);
  }
  const { process: chosen, prediction: asked, preconditioning: given, levels, weight, spread, variance } = parsed.output;
  const process = known.processes.create(...nameAndOptions(chosen));
  const { usual } = process;
  if (asked !== undefined && given !== undefined) {
    throw fault(`a network has a prediction or a preconditioning: prediction=${asked}, preconditioning=${given.name}. Give one of them.`);
  }
  const wanted = given ?? (asked === undefined && usual.preconditioning !== undefined ? { name: usual.preconditioning } : undefined);
  const prediction = wanted === undefined ? (asked ?? usual.prediction ?? 'epsilon') : undefined;
  const preconditioning =
    prediction === undefined
      ? choose('preconditioning', known.preconditionings, wanted!)
      : predictionPreconditioning({ process, prediction });
  const recipe: NoiseRecipe = {
    config: parsed.output,
    process,
    preconditioning,
    levels: choose('levels', known.levels, levels ?? { name: usual.levels ?? 'uniform' }),
    weight: weightOf(weight ?? { name: 'plain' }),
    spread,
    variance,
    ...(prediction !== undefined && { prediction }),
  };
  if (variance === 'learned' && process.steps === undefined) {
    throw fault(`learned variance needs a process with steps: variance=learned, process=${process.name}. Use discrete-vp.`);
  }
  return Object.freeze(recipe);

  /** An entry of a registry; what is made for a process gets that of the recipe. */
  function choose<V>(part: string, registry: Registry<V>, { name, ...options }: Choice): V {
    if (!registry.names.includes(name)) {
      const { names } = registry;
      throw fault(`unknown ${part}: ${part}.name=${name.slice(0, 60)}.${didYouMean(name, names)} Known: ${names.join(', ')}.`);
    }
    return registry.create(name, registry.optionsOf(name).includes('process') ? { process, ...options } : options);
  }

  /** Two weights follow from the other parts; the rest have names of their own. */
  function weightOf(choice: Choice): LossWeight {
    const derived: Readonly<Record<string, () => LossWeight>> = {
      plain: () => Object.freeze({ ...plainWeight(preconditioning), name: 'plain' }),
      likelihood: () => likelihoodWeight(process),
    };
    if (Object.hasOwn(derived, choice.name)) {
      readOptions('diffusion/noise', nameAndOptions(choice)[1], []);
      return derived[choice.name]!();
    }
    if (known.weights.names.includes(choice.name)) return known.weights.create(...nameAndOptions(choice));
    const names = [...Object.keys(derived), ...known.weights.names].sort();
    throw fault(`unknown weight: weight.name=${choice.name.slice(0, 60)}.${didYouMean(choice.name, names)} Known: ${names.join(', ')}.`);
  }
}

function nameAndOptions({ name, ...options }: Choice): [name: string, options: object] {
  return [name, options];
}

function fault(text: string): UserError {
  return new UserError(`[diffusion/noise] ${text}`);
}
