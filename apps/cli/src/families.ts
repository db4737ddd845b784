import { backbonePlugins, steeringPlugins, type BackbonePlugin, type SteeringPlugin } from '@langevin/backbones';
import type { Factory, Registry, Sampler } from '@langevin/core';
import {
  lossWeights,
  noiseDistributions,
  preconditionings,
  processes,
  spacings,
  type LossWeight,
  type NoiseDistribution,
  type NoiseProcess,
  type Preconditioning,
  type Spacing,
} from '@langevin/core-schedules';
import { encoderPlugins, type EncoderPlugin } from '@langevin/encoders';
import { deformations, strategies, type Deformation, type Strategy } from '@langevin/gaussians';
import { guidanceRules, type Guidance } from '@langevin/guidance';
import type { DataPlugin } from '@langevin/io';
import { dataPlugins } from '@langevin/io/node';
import { splatFormats, type SplatFormat } from '@langevin/io/splats';
import {
  autoencoderPlugins,
  reconstructionLosses,
  regularisers,
  type AutoencoderPlugin,
  type ReconstructionLoss,
  type Regulariser,
} from '@langevin/latent-ae';
import { metrics, type Metric } from '@langevin/metrics';
import { samplers } from '@langevin/samplers';
import { UserError } from '@langevin/tensor';
import type { Command } from 'commander';
import { needsGuidance } from './needs-guidance.ts';
import type { Terminal } from './terminal.ts';
import { guardBackbone, guardData, guardFactory, guardFunctions, guardSampler, guardSpacing, type Blame } from './plugin-guard.ts';

export type Row = Readonly<Record<string, string | number | boolean>>;

/** A command of the program: `langevin <name>`. */
export interface CliCommand {
  readonly name: string;
  /** Adds one command of that name; the option `--plugin` is added to it and to the commands below it. */
  readonly add: (program: Command, context: CommandContext) => void;
}

/** What a command gets when it runs: where it writes, and all parts by name, those of plugins included. */
export interface CommandContext extends Terminal {
  readonly registries: Registries;
}

/** A kind of part that is found by name, and that a plugin may add to: what the program knows of it. */
interface Family<Known> {
  /** The parts that come with the packages. */
  readonly builtIn: Known;
  /** What a plugin exports under the family's name, for messages. */
  readonly takes: string;
  /** The parts with those of a plugin; undefined when what it exports is of another form. @throws UserError when a name is taken */
  readonly with: (known: Known, exported: unknown, plugin: string) => Known | undefined;
  /** One line each, for `langevin list`. */
  readonly rows: (known: Known) => readonly Row[] | Promise<readonly Row[]>;
}

/** A family of parts that are made with options: a registry of factories. */
function factories<V>({
  builtIn,
  guard,
  rows = listOptions,
}: {
  readonly builtIn: Registry<V>;
  readonly guard: (made: V, blame: Blame) => V;
  readonly rows?: Family<Registry<V>>['rows'];
}): Family<Registry<V>> {
  return {
    builtIn,
    takes: 'an object of factories by name: { mine: (options) => ... }',
    with: (known, exported, plugin) => {
      if (!isObject(exported) || Array.isArray(exported) || !Object.values(exported).every((entry) => typeof entry === 'function'))
        return undefined;
      const entries = Object.entries(exported as Readonly<Record<string, Factory<V>>>).map(([name, make]) => {
        const blame = { plugin, part: `${known.kind} "${name}"` };
        return [name, guardFactory(make, { blame, guard: (made) => guard(made, blame) })] as const;
      });
      return known.with(Object.fromEntries(entries));
    },
    rows,
  };
}

/** A family of parts that are values with a name, and take their options with each call. */
function values<V extends { readonly name: string }>({
  builtIn,
  kind,
  define,
  needs,
  guard,
  row,
}: {
  readonly builtIn: readonly V[];
  readonly kind: string;
  /** The function that makes one. */
  readonly define: string;
  /** What each has to have besides its name: functions, by their names. */
  readonly needs: readonly (keyof V & string)[];
  readonly guard: (entry: V, blame: Blame) => V;
  readonly row: (entry: V) => Row;
}): Family<readonly V[]> {
  return {
    builtIn,
    takes: `a list of what ${define}() gives`,
    with: (known, exported, plugin) => {
      if (
        !Array.isArray(exported)
        || !exported.every((entry) => isNamed(entry) && needs.every((need) => typeof entry[need] === 'function'))
      )
        return undefined;
      return (exported as readonly V[]).reduce((all, entry) => {
        if (all.some(({ name }) => name === entry.name))
          throw new UserError(`[cli/plugin] the name of a ${kind} is taken: plugin=${plugin}, name=${entry.name}. Choose another.`);
        return [...all, guard(entry, { plugin, part: `${kind} "${entry.name}"` })];
      }, known);
    },
    rows: (known) => known.map(row),
  };
}

/** All families, by the name under which a plugin exports and `langevin list` shows them. */
export const families = Object.freeze({
  samplers: factories<Sampler>({ builtIn: samplers, guard: guardSampler, rows: listSamplers }),
  spacings: factories<Spacing>({ builtIn: spacings, guard: guardSpacing }),
  processes: factories<NoiseProcess>({ builtIn: processes, guard: guardFunctions }),
  weights: factories<LossWeight>({ builtIn: lossWeights, guard: guardFunctions }),
  levels: factories<NoiseDistribution>({ builtIn: noiseDistributions, guard: guardFunctions }),
  preconditionings: factories<Preconditioning>({ builtIn: preconditionings, guard: guardFunctions }),
  guidance: factories<Guidance>({ builtIn: guidanceRules, guard: guardFunctions, rows: listSummaries }),
  backbones: values<BackbonePlugin>({
    builtIn: backbonePlugins,
    kind: 'backbone',
    define: 'defineBackbone',
    needs: ['parse'],
    guard: guardBackbone,
    row: ({ name, className, summary }) => ({ name, className, summary }),
  }),
  steering: values<SteeringPlugin>({
    builtIn: steeringPlugins,
    kind: 'steering network',
    define: 'defineSteering',
    needs: ['parse'],
    guard: guardFunctions,
    row: ({ name, className, summary }) => ({ name, className, summary }),
  }),
  encoders: values<EncoderPlugin>({
    builtIn: encoderPlugins,
    kind: 'encoder',
    define: 'defineEncoder',
    needs: ['parse'],
    guard: guardFunctions,
    row: ({ name, className, summary }) => ({ name, className, summary }),
  }),
  autoencoders: values<AutoencoderPlugin>({
    builtIn: autoencoderPlugins,
    kind: 'autoencoder',
    define: 'defineAutoencoder',
    needs: ['parse'],
    guard: guardFunctions,
    row: ({ name, className, summary }) => ({ name, className, summary }),
  }),
  regularisers: factories<Regulariser>({ builtIn: regularisers, guard: guardFunctions }),
  losses: factories<ReconstructionLoss>({ builtIn: reconstructionLosses, guard: guardFunctions }),
  data: values<DataPlugin<never>>({
    builtIn: dataPlugins,
    kind: 'data set',
    define: 'defineData',
    needs: ['parts', 'open'],
    guard: guardData,
    row: ({ name, options, summary }) => ({ name, options: options.join(', '), summary }),
  }),
  metrics: factories<Metric>({ builtIn: metrics, guard: guardFunctions, rows: listSummaries }),
  strategies: factories<Strategy>({ builtIn: strategies, guard: guardFunctions }),
  deformations: factories<Deformation<unknown>>({ builtIn: deformations, guard: guardFunctions }),
  splatFormats: values<SplatFormat>({
    builtIn: splatFormats,
    kind: 'splat format',
    define: 'defineSplatFormat',
    needs: ['matches', 'read', 'bytesPerGaussian'],
    guard: guardFunctions,
    row: ({ name, extensions, keeps, loses }) => ({ name, extensions: extensions.join(', '), keeps, loses }),
  }),
  /** The program adds its own: they take the families from here. */
  commands: values<CliCommand>({
    builtIn: [],
    kind: 'command',
    define: 'defineCommand',
    needs: ['add'],
    guard: guardFunctions,
    row: ({ name }) => ({ name }),
  }),
});

export type FamilyName = keyof typeof families;
export const familyNames = Object.keys(families) as readonly FamilyName[];

/** All parts by family: what every command receives. */
export type Registries = { readonly [Name in FamilyName]: (typeof families)[Name]['builtIn'] };

/** The parts that come with the packages. */
export const builtIn: Registries = Object.freeze(
  Object.fromEntries(familyNames.map((name) => [name, families[name].builtIn])) as unknown as Registries,
);

function listOptions<V>(known: Registry<V>): readonly Row[] {
  return known.names.map((name) => ({ name, options: known.optionsOf(name).join(', ') }));
}

async function listSamplers(known: Registry<Sampler>): Promise<readonly Row[]> {
  return Promise.all(
    known.names.map(async (name) => {
      const sampler = known.create(name);
      const { order, stochastic, paper } = sampler;
      return { name, order, stochastic, needsGuidance: await needsGuidance(sampler), paper };
    }),
  );
}

function listSummaries<V extends { readonly summary: string }>(known: Registry<V>): readonly Row[] {
  return known.names.map((name) => ({ name, options: known.optionsOf(name).join(', '), summary: known.create(name).summary }));
}

function isObject(entry: unknown): entry is Readonly<Record<string, unknown>> {
  return typeof entry === 'object' && entry !== null;
}

function isNamed(entry: unknown): entry is Readonly<Record<string, unknown>> {
  return isObject(entry) && typeof entry['name'] === 'string';
}
