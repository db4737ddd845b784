import type { Algebra, DetailedPrediction, NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { nullable, number, oneOf } from '@langevin/tensor/fields';
import { alphaBarsOf, betaOptions, type ChainConfig } from '../betas.ts';
import { off } from '../config.ts';
import { refuse } from '../check-call.ts';
import type { Output, Place } from '../scheduler-class.ts';
import { logTable, sigmaRuleOf, sigmaRuleOptions, sigmaTable } from '../sigma-tables.ts';
import type { LambdaGrid, LambdaRule, LambdaTables } from '../tables/lambda-grid.ts';
import { limited, predictionOption, singleLevel, thresholdingOptions, toX0, type LimitConfig, type PredictionName } from '../x0.ts';
import { firstChannels } from './channels.ts';
import { spacingOptions } from './chain.ts';
import { flowLevel, flowPrediction, plainVelocityPrediction } from './flow.ts';
import { ignoring } from './remapped.ts';

const DDPM_VARIANCES = ['fixed_small', 'fixed_small_log', 'fixed_large', 'fixed_large_log'];

/** Options that the classes in lambda share: states keep alpha^2 + sigma^2 = 1, or are a flow's. */
export const lambdaOptions = {
  ...betaOptions(),
  ...predictionOption(['epsilon', 'sample', 'v_prediction', 'flow_prediction'], 'epsilon'),
  ...thresholdingOptions,
  ...sigmaRuleOptions,
  use_flow_sigmas: off,
  flow_shift: number(1, { above: 0 }),
};

export const lambdaSpacingOptions = spacingOptions('linspace');

/** Entries of the table whose lambda lies below are left out. */
export const clippingOption = { lambda_min_clipped: number(-Infinity, { infinity: 'allowed' }) };

/** Learned variances are left out of the output; those of DDPM's own steps, which from_config hands on, are ignored as in Python. */
export const varianceOption = { variance_type: nullable(ignoring(oneOf('learned', ['learned', 'learned_range']), DDPM_VARIANCES)) };

export const dynamicShiftOptions = { use_dynamic_shifting: off, time_shift_type: oneOf('exponential', ['exponential']) };

export const finalSigmasOption = { final_sigmas_type: oneOf('zero', ['zero', 'sigma_min']) };

interface LambdaChain {
  readonly alphaBars: Float32Array;
  readonly tables: LambdaTables;
}

/** Where the terminal signal-to-noise ratio is rescaled to zero, sigma stays finite: the last cumulative product is 2^-24. */
export function lambdaChain(config: ChainConfig): LambdaChain {
  const alphaBars = alphaBarsOf(config);
  if (config.rescale_betas_zero_snr === true) alphaBars[alphaBars.length - 1] = 2 ** -24;
  const sigmas = sigmaTable(alphaBars);
  return { alphaBars, tables: { sigmas, logSigmas: logTable(sigmas) } };
}

/** The rule of the sigmas; those over sigma go before the flow's. */
export function lambdaRuleOf(config: {
  readonly use_karras_sigmas: boolean;
  readonly use_exponential_sigmas: boolean;
  readonly use_beta_sigmas: boolean;
  readonly use_flow_sigmas: boolean;
  readonly use_lu_lambdas?: boolean;
}): LambdaRule | undefined {
  const rule = sigmaRuleOf(config);
  if (rule === 'karras') return rule;
  return config.use_lu_lambdas === true ? 'lu' : (rule ?? (config.use_flow_sigmas ? 'flow' : undefined));
}

/** e^mu in the place of the static shift. @throws UserError when mu is given and shifts are not dynamic */
export function shiftOf(
  name: string,
  config: { readonly flow_shift: number; readonly use_dynamic_shifting: boolean },
  mu: number | undefined,
): number {
  if (mu === undefined) return config.flow_shift;
  if (config.use_dynamic_shifting) return Math.exp(mu);
  throw new UserError(
    `[samplers/compat] ${name}: mu belongs to dynamic shifts: mu=${mu}, use_dynamic_shifting=false. Set use_dynamic_shifting, or `
      + 'leave mu out.',
  );
}

/** What states are: a flow's, alpha + sigma = 1, or of a chain, alpha^2 + sigma^2 = 1. */
export type StateSpace = 'flow' | 'chain';

export const stateSpace = (config: { readonly use_flow_sigmas: boolean }): StateSpace => (config.use_flow_sigmas ? 'flow' : 'chain');

/** The level of a sigma: of a flow, or sigma / alpha of a chain. */
export function lambdaLevel(space: StateSpace): (sigma: number) => NoiseLevel {
  if (space === 'flow') return flowLevel;
  return (sigma) => {
    const alpha = 1 / Math.hypot(sigma, 1);
    return { alpha, sigma: sigma * alpha };
  };
}

interface LambdaPredictionConfig extends LimitConfig {
  readonly prediction_type: PredictionName;
  readonly variance_type?: 'learned' | 'learned_range' | null;
}

/** What the solvers are answered: x0 from the output, limited. */
export function lambdaPrediction<T>(
  algebra: Algebra<T>,
  config: LambdaPredictionConfig,
  sigmas: readonly number[],
): (output: Output<T>) => Promise<DetailedPrediction<T>> {
  return async ({ modelOutput: whole, question, call, sample }) => {
    const { x } = question;
    // Only epsilon may come with a variance; the method has no use for it.
    const modelOutput =
      (config.variance_type ?? null) !== null && config.prediction_type === 'epsilon' ? await firstChannels(algebra, whole, sample) : whole;
    const at = singleLevel(question.at);
    return {
      denoised: await limited(
        algebra,
        x0Of(algebra, { prediction: config.prediction_type, x, modelOutput, at, sigma: sigmas[call.index]! }),
        config,
      ),
    };
  };
}

/** The x0-prediction of these classes: a flow's is taken off with the sigma of the table whatever the level of the state. */
export function x0Of<T>(
  algebra: Algebra<T>,
  {
    prediction,
    x,
    modelOutput,
    at,
    sigma,
  }: { readonly prediction: PredictionName; readonly x: T; readonly modelOutput: T; readonly at: NoiseLevel; readonly sigma: number },
): T {
  if (prediction === 'flow_prediction') return flowPrediction(algebra, { x, modelOutput, sigma });
  if (prediction === 'v_prediction') return plainVelocityPrediction(algebra, { x, modelOutput, at });
  return toX0({ algebra, prediction, x, modelOutput, at });
}

/** The grid before set_timesteps: the whole table, falling. */
export function wholeGrid(tables: LambdaTables): LambdaGrid {
  return { timesteps: Array.from(tables.sigmas, (_, i) => tables.sigmas.length - 1 - i), sigmas: [...tables.sigmas] };
}

interface Reach {
  readonly order: number;
  /** Steps of a method that forgets at the end of each block. @default Infinity */
  readonly block?: number;
}

/**
 * The grid, where no level stands twice but at the end, which is a step of first order: slopes between two equal levels are 0 / 0.
 *
 * @throws UserError for methods above first order
 */
export function distinct(name: string, grid: LambdaGrid, { order, block = Infinity }: Reach): LambdaGrid {
  const { timesteps, sigmas } = grid;
  const meets = (i: number): boolean => order > 1 && i < timesteps.length - 1 && (i + 1) % block !== 0;
  const twice = sigmas.findIndex((sigma, i) => meets(i) && sigma === sigmas[i + 1]);
  if (twice < 0) return grid;
  return refuse(
    name,
    `two levels of the run are the same, between which a method of order ${order} has no slope: ${timesteps.length} timesteps, `
      + `sigmas[${twice}]=sigmas[${twice + 1}]=${sigmas[twice]}. Take fewer steps, or a method of order 1.`,
  );
}

/** Levels of a grid, and the two ends of a call's step. */
export function walk(
  { timesteps, sigmas }: LambdaGrid,
  space: StateSpace,
): {
  readonly levels: readonly NoiseLevel[];
  readonly ends: (place: Place) => {
    readonly from: NoiseLevel;
    readonly to: NoiseLevel;
    readonly index: number;
    readonly levels: readonly NoiseLevel[];
  };
} {
  // Where equal timesteps were dropped, sigmas are left over.
  const levels = sigmas.slice(0, timesteps.length + 1).map(lambdaLevel(space));
  return { levels, ends: ({ index }) => ({ from: levels[index]!, to: levels[index + 1]!, index, levels }) };
}

/** @throws UserError for a flow's prediction where the method works on the noise */
export function refuseFlowOfNoise(name: string, algorithm: string, prediction: PredictionName): void {
  if (prediction !== 'flow_prediction') return;
  throw new UserError(
    `[samplers/compat] ${name}: the method works on predictions of the noise, which has no rule for flows: ${algorithm}, `
      + 'prediction_type="flow_prediction". Choose the form over predictions of x0.',
  );
}
