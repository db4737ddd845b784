import {
  checkConditions,
  checkLevel,
  type ConditionalDenoiser,
  type Conditions,
  defineConditionalDenoiser,
  type DetailedPrediction,
  isLevelList,
  type Network,
  type NoiseLevels,
} from '@langevin/core';
import type { Preconditioning, PreconditioningCoefficients } from '@langevin/core-schedules';
import { inFloat32 } from '@langevin/nn';
import { add, compile, concat, data, mul, readOptions, shownValue, slice, split, tensor, Tensor, UserError, vjp } from '@langevin/tensor';
import type { Engine } from '@langevin/tensor';

const WHERE = 'diffusion/network-denoiser';

export interface NetworkDenoiserOptions<Params> {
  readonly network: Network<Params>;
  /** Floats of any dtype, cast to float32 inside of the graphs. */
  readonly params: Params;
  /** What the network's output means; a {@link NoiseRecipe} has it. */
  readonly noise: { readonly preconditioning: Preconditioning };
  /** @default the default engine */
  readonly engine?: Engine;
  /**
   * `constant` builds the weights into the compiled graphs, where engines lay them out for speed: for one set that is used many times.
   * `input` feeds them, so that other weights need no other compilation: for a network in training. @default 'constant'
   */
  readonly weights?: 'constant' | 'input';
}

/** The denoiser of a network over states [N, channels, ...], under the conditions that `network.info` declares. */
export interface NetworkDenoiser<Params> extends ConditionalDenoiser<Tensor, Conditions> {
  readonly pullback: NonNullable<ConditionalDenoiser<Tensor, Conditions>['pullback']>;
  /** The same network with other parameters; it shares the compiled graphs where weights are inputs. */
  readonly withParams: (params: Params) => NetworkDenoiser<Params>;
  /** How often a graph was traced and compiled. */
  readonly traces: () => number;
  /** Frees the compiled graphs. */
  readonly dispose: () => Promise<void>;
}

/**
 * The denoiser of any network: D = cSkip x + cOut F(cIn x, cNoise, conditions) (Karras et al. 2022, arXiv:2206.00364, eq. 7) with one level
 * for all items or one for each, compiled once for each shape. Several conditions are one batch of the network where they have one form. A
 * learned variance comes as `detailed().variance`. The gradients of `pullback` are one compiled graph, which computes the prediction again.
 *
 * @throws UserError when the network does not give what it is given; from the denoiser, for states, levels or conditions that do not fit
 * @example
 * const network = defineNetwork({
 *   init: () => ({ w: scalar(0) }),
 *   apply: ({ w }: { readonly w: Tensor }, x: Tensor) => mul(w, x),
 *   info: { channels: 1, outChannels: 1, outputs: ['prediction'], axes: 'l', size: null, multiple: 1, time: 'sigma', conditions: {} },
 * });
 * // A network that answers zero leaves cSkip x, here half of x: sigma equals the deviation of the data.
 * const denoiser = networkDenoiser({ network, params: { w: scalar(0) }, noise: noiseRecipe() });
 * const denoised = await denoiser(ones([2, 1, 3]), sigmaLevel(0.5), {});
 * await numbers(denoised); // => [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
 */
export function networkDenoiser<Params>(options: NetworkDenoiserOptions<Params>): NetworkDenoiser<Params> {
  const { network, params, noise, engine, weights = 'constant' } = readOptions(WHERE, options);
  checkNetwork(network);
  if (typeof noise?.preconditioning?.at !== 'function')
    throw new UserError(`[${WHERE}] this is no noise: noise=${shownValue(noise)}. Pass what noiseRecipe() gives.`);
  if (weights !== 'constant' && weights !== 'input')
    throw new UserError(`[${WHERE}] unknown weights: weights=${shownValue(weights)}. Known: constant, input.`);
  const compiling = { freeze: weights === 'constant' ? [0] : [], ...(engine && { engine }) };
  const forward = compile((given: Params, inputs: Inputs) => predictions(network, given, inputs), {
    ...compiling,
    name: 'denoiser',
  });
  const backward = compile(
    (given: Params, { x, conditions, ...rest }: Inputs, cotangent: Tensor) => {
      const denoise = (state: Tensor, condition: Conditions): Tensor =>
        predictions(network, given, { ...rest, x: state, conditions: [condition] })[0]!.denoised;
      const [pulled, condition] = vjp(denoise, x, conditions[0]!).pullback(cotangent);
      return { x: pulled, condition };
    },
    { ...compiling, name: 'gradient of the denoiser' },
  );
  /** Labels that were looked at: those of a run are one tensor for all of its steps. */
  const known = new WeakSet<Tensor>();

  const prepared = async (x: Tensor, at: NoiseLevels, conditions: readonly Conditions[]): Promise<Inputs> => {
    checkState(network, x);
    for (const condition of conditions) {
      checkConditions(WHERE, condition, { specs: network.info.conditions, batch: x.shape[0]! });
      await checkLabels(network, condition, { known, ...(engine && { engine }) });
    }
    return { x, conditions, ...levelInputs(network, { x, at, preconditioning: noise.preconditioning }) };
  };

  return withParams(params);

  function withParams(current: Params): NetworkDenoiser<Params> {
    const batch = async (x: Tensor, at: NoiseLevels, conditions: readonly Conditions[]): Promise<readonly DetailedPrediction<Tensor>[]> => {
      const inputs = await prepared(x, at, conditions);
      if (new Set(conditions.map(formOf)).size === 1) return forward(current as never, inputs as never);
      const parts: DetailedPrediction<Tensor>[] = [];
      for (const condition of conditions) parts.push(...(await forward(current as never, { ...inputs, conditions: [condition] } as never)));
      return parts;
    };
    const detailed = async (x: Tensor, at: NoiseLevels, condition: Conditions): Promise<DetailedPrediction<Tensor>> =>
      (await batch(x, at, [condition]))[0]!;
    const pullback: NetworkDenoiser<Params>['pullback'] = async (x, at, condition) => ({
      ...(await detailed(x, at, condition)),
      vjp: async (cotangent) => {
        checkCotangent(cotangent, x);
        return backward(current as never, (await prepared(x, at, [condition])) as never, cotangent);
      },
    });
    const denoiser = defineConditionalDenoiser<Tensor, Conditions>({ nfe: 1, detailed, batch, pullback });
    // A frozen function takes no more properties, so that one more is made around it.
    const call = (x: Tensor, at: NoiseLevels, condition: Conditions): Promise<Tensor> => denoiser(x, at, condition);
    return Object.freeze(
      Object.assign(call, {
        nfe: denoiser.nfe,
        detailed: denoiser.detailed,
        batch: denoiser.batch,
        pullback,
        withParams,
        traces: () => forward.counters().traces + backward.counters().traces,
        dispose: async () => {
          await forward.dispose();
          await backward.dispose();
        },
      }),
    );
  }
}

/** What a compiled graph is given beside the parameters. */
interface Inputs extends LevelInputs {
  /** [N, channels, ...] */
  readonly x: Tensor;
  readonly conditions: readonly Conditions[];
}

/** The numbers of preconditioning, [N, 1, ...]; cNoise is [N]. */
interface LevelInputs {
  readonly cIn: Tensor;
  readonly cSkip: Tensor;
  readonly cOut: Tensor;
  readonly cNoise: Tensor;
}

/** The x0-prediction under each condition, which are one batch of the network: graph nodes. */
function predictions<Params>(network: Network<Params>, params: Params, inputs: Inputs): readonly DetailedPrediction<Tensor>[] {
  const { x, conditions, cIn, cSkip, cOut, cNoise } = inputs;
  const repeated = (value: Tensor): Tensor =>
    conditions.length === 1
      ? value
      : concat(
          conditions.map(() => value),
          0,
        );
  const output = network.apply(inFloat32(params), repeated(mul(x, cIn)), repeated(cNoise), { conditions: stacked(conditions) });
  return split(output, conditions.length, 0).map((part) => {
    const channels = network.info.channels;
    const prediction = network.info.outputs.length === 1 ? part : slice(part, { 1: { start: 0, stop: channels } });
    return {
      denoised: add(mul(x, cSkip), mul(prediction, cOut)),
      ...(network.info.outputs.length > 1 && { variance: slice(part, { 1: { start: channels, stop: 2 * channels } }) }),
    };
  });
}

function stacked(conditions: readonly Conditions[]): Conditions {
  const [first = {}] = conditions;
  if (conditions.length === 1) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      concat(
        conditions.map((each) => each[name]!),
        0,
      ),
    ]),
  );
}

/** Equal where conditions can be one batch: names, dtypes and sizes. */
function formOf(condition: Conditions): string {
  const form = Object.entries(condition).map(([name, { dtype, shape }]) => `${JSON.stringify(name)}:${dtype}[${shape.join()}]`);
  return form.sort().join();
}

function levelInputs<Params>(
  { info }: Network<Params>,
  { x, at, preconditioning }: { readonly x: Tensor; readonly at: NoiseLevels; readonly preconditioning: Preconditioning },
): LevelInputs {
  const items = x.shape[0]!;
  if (isLevelList(at) && at.length !== items)
    throw new UserError(`[${WHERE}] there is one level for each item, or one for all: levels=${at.length}, items=${items}. Pass as many.`);
  const all = (isLevelList(at) ? at : [at]).map((level) => {
    checkLevel(WHERE, 'level', level);
    return preconditioning.at(level);
  });
  const listed = (name: keyof PreconditioningCoefficients): number[] => Array.from({ length: items }, (_, i) => (all[i] ?? all[0]!)[name]);
  const factor = (name: keyof PreconditioningCoefficients): Tensor =>
    tensor(Float32Array.from(listed(name)), { shape: x.shape.map((_, axis) => (axis === 0 ? items : 1)) });
  return { cIn: factor('cIn'), cSkip: factor('cSkip'), cOut: factor('cOut'), cNoise: timeOf(listed('cNoise'), info.time) };
}

/** What the network takes for the time, in its own form. */
function timeOf(cNoise: readonly number[], time: Network<unknown>['info']['time']): Tensor {
  if (time !== 'index') return tensor(Float32Array.from(cNoise));
  // A step of a chain found again from its level is whole up to the rounding of logarithms.
  const broken = cNoise.find((value) => !(Math.abs(value - Math.round(value)) <= 1e-3) || value < -0.5);
  if (broken !== undefined)
    throw new UserError(
      `[${WHERE}] the network takes whole timesteps: cNoise=${broken}. Sample at the steps of its process, or precondition with `
        + 'predictionPreconditioning({ wholeSteps: true }).',
    );
  return tensor(Int32Array.from(cNoise, Math.round), { dtype: 'int32' });
}

function checkNetwork<Params>(network: Network<Params>): void {
  if (typeof network?.apply !== 'function' || typeof network.info !== 'object')
    throw new UserError(
      `[${WHERE}] this is no network: network=${shownValue(network)}. Pass one of @langevin/backbones, or defineNetwork().`,
    );
  const { channels, outChannels, outputs } = network.info;
  if (outputs[0] === 'prediction' && outputs.length <= 2 && outChannels === channels * outputs.length) return;
  throw new UserError(
    `[${WHERE}] a denoiser gives what it is given: channels=${channels}, outChannels=${outChannels}, outputs=[${outputs.join(', ')}]. `
      + 'Make them equal, or twice as many out where the variance is learned.',
  );
}

function checkState<Params>({ info }: Network<Params>, x: unknown): asserts x is Tensor {
  const right = x instanceof Tensor && x.dtype === 'float32' && x.rank === info.axes.length + 2 && x.shape[1] === info.channels;
  if (right && x.shape[0]! > 0) return;
  throw new UserError(
    `[${WHERE}] this is no state of the network: x=${x instanceof Tensor ? `${x.dtype}[${x.shape.join(', ')}]` : shownValue(x)}. Pass `
      + `float32 [N, ${info.channels}, ${[...info.axes].join(', ')}].`,
  );
}

function checkCotangent(cotangent: unknown, x: Tensor): void {
  if (cotangent instanceof Tensor && cotangent.dtype === x.dtype && cotangent.shape.join() === x.shape.join()) return;
  const shown = cotangent instanceof Tensor ? `${cotangent.dtype}[${cotangent.shape.join(', ')}]` : shownValue(cotangent);
  throw new UserError(
    `[${WHERE}] a cotangent has the form of the state: cotangent=${shown}, x=${x.dtype}[${x.shape.join(', ')}]. Pass that.`,
  );
}

/** Throws for a label that the network does not know, which some engines would read from beyond the table. */
async function checkLabels<Params>(
  { info }: Network<Params>,
  condition: Conditions,
  { known, engine }: { readonly known: WeakSet<Tensor>; readonly engine?: Engine },
): Promise<void> {
  for (const [name, spec] of Object.entries(info.conditions)) {
    const labels = condition[name];
    if (spec.kind !== 'label' || labels === undefined || known.has(labels)) continue;
    const wrong = (await data(labels, engine ? { engine } : {})).find(
      (label) => !(label >= 0 && label < spec.count) && label !== spec.none,
    );
    if (wrong !== undefined)
      throw new UserError(
        `[${WHERE}] label is not one of the network's: ${name}=${wrong}, count=${spec.count}. Give integers from 0 to ${spec.count - 1}`
          + `${spec.none === null || spec.none < spec.count ? '' : `, or ${spec.none} for none`}.`,
      );
    known.add(labels);
  }
}
