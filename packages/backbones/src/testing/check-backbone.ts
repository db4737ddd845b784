import type { ConditionSpec, Conditions, Network } from '@langevin/core';
import { fromStateDict, parameterShapes, toStateDict } from '@langevin/nn';
import {
  counterGenerator,
  errorKind,
  float32Data,
  mean,
  mul,
  realize,
  slice,
  tensor,
  tensorsOf,
  torchGenerator,
  valueAndGrad,
  type Tensor,
} from '@langevin/tensor';
import type { BackbonePlugin } from '../define-backbone.ts';

export interface CheckBackboneOptions {
  /** A configuration as files have it, of a network that is computed in a moment. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Sizes of the sample along its axes. @default those of the configuration, else twice the multiple that the network asks for */
  readonly size?: readonly number[];
  /** Conditions, for two items, that the description of the network does not say enough of. @default made as it says */
  readonly conditions?: Conditions;
}

/** What the network is applied to. */
interface Call {
  readonly x: Tensor;
  readonly time: Tensor;
  readonly by: Conditions;
  readonly weights: unknown;
}

const ITEMS = 2;
/** Sums in another order, of a batch and of its items, as float32 rounds them in small networks. */
const TOLERANCE = 2e-5;

/**
 * Proves of a backbone what each has to keep: its output has the described form and finite numbers; items of a batch do not see each other;
 * one time for all is that time for each; the same seed makes the same weights, which are the ones it says without making them, and go
 * through files; gradients reach the weights; entries of a configuration that it does not know, samples and conditions of another form are
 * the caller's mistakes. The default engine computes.
 *
 * @throws Error saying what the backbone does not keep
 * @example
 * // not run: for tests, which need an engine
 * await checkBackbone(backbonePlugins[0]!, { config: { sample_size: 8, num_layers: 1, num_attention_heads: 2, attention_head_dim: 4 } });
 */
export async function checkBackbone(plugin: BackbonePlugin, { config, size, conditions }: CheckBackboneOptions): Promise<void> {
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`backbone ${plugin.name} ${what}`);
  };
  const json = { ...(JSON.parse(JSON.stringify(config)) as object), _class_name: plugin.className };
  const network = plugin.parse(json);
  const { info } = network;
  const sizes = size ?? info.size ?? [...info.axes].map(() => 2 * info.multiple);
  const noise = counterGenerator({ seed: 7, stream: [0] });
  const random = (shape: readonly number[]): Tensor => tensor(Float32Array.from(noise.normal(shape.reduce((a, b) => a * b, 1))), { shape });
  const x = random([ITEMS, info.channels, ...sizes]);
  const times = tensor(Float32Array.of(0.7, 0.7));
  const told = conditions ?? conditionsOf(network, { sizes, random });
  const params = network.init(torchGenerator(3));
  const run = async ({ x: given = x, time = times, by = told, weights = params }: Partial<Call> = {}): Promise<Float32Array> =>
    float32Data(network.apply(weights, given, time, { conditions: by }));

  const output = network.apply(params, x, times, { conditions: told });
  demand(
    output.shape.join() === [ITEMS, info.outChannels, ...sizes].join(),
    `gives another form than it describes: [${output.shape.join(', ')}]`,
  );
  const both = await float32Data(output);
  demand(both.every(Number.isFinite), 'gives what is no number');
  const one = (values: Tensor, i: number): Tensor => slice(values, { 0: { start: i, stop: i + 1 } });
  for (let i = 0; i < ITEMS; i += 1) {
    const alone = await run({
      x: one(x, i),
      time: one(times, i),
      by: Object.fromEntries(Object.entries(told).map(([name, values]) => [name, one(values, i)])),
    });
    const part = both.subarray(i * alone.length, (i + 1) * alone.length);
    demand(apart(alone, part) <= TOLERANCE, `mixes items of a batch: item ${i} alone is apart by ${apart(alone, part)}`);
  }
  for (const time of [tensor(Float32Array.of(0.7), { shape: [] }), tensor(Float32Array.of(0.7))])
    demand(apart(await run({ time }), both) <= TOLERANCE, 'takes one time for all as another than that time for each');

  const again = network.init(torchGenerator(3));
  const [names, saved] = [parameterShapes(network), await toStateDict(params)];
  demand([...names.keys()].sort().join() === [...saved.keys()].sort().join(), 'has other weights than it says without making them');
  for (const [name, { shape }] of saved) demand(names.get(name)!.join() === shape.join(), `says another form of ${name}`);
  demand(apart(await run({ weights: again }), both) === 0, 'has other weights from the same seed');
  const read = fromStateDict(again, saved, { from: 'the kit' });
  demand(apart(await run({ weights: read }), both) === 0, 'is another network after its weights went through a file');

  const { grad } = valueAndGrad((weights: unknown) => {
    const out = network.apply(weights, x, times, { conditions: told });
    return mean(mul(out, random(out.shape)));
  })(params);
  // All at once: one graph, not one for each weight.
  await realize(tensorsOf(grad));
  const gradients = await Promise.all(tensorsOf(grad).map((of) => float32Data(of)));
  demand(
    gradients.every((of) => of.every(Number.isFinite)),
    'has gradients that are no numbers',
  );
  demand(
    gradients.some((of) => of.some((value) => value !== 0)),
    'has no gradient by its weights',
  );

  const refuses = async (work: () => unknown, what: string): Promise<void> => {
    let error: unknown = 'nothing';
    try {
      await work();
    } catch (thrown) {
      error = thrown;
    }
    demand(['user', 'unsupported'].includes(String(errorKind(error))), `does not refuse ${what}, but throws ${String(error)}`);
  };
  await refuses(() => plugin.parse({ ...json, no_such_entry: 1 }), 'an entry of the configuration that it does not know');
  await refuses(() => plugin.parse([]), 'a configuration that is a list');
  await refuses(() => plugin.parse({ ...json, _class_name: `${plugin.className}Other` }), 'the configuration of another class');
  await refuses(() => run({ x: random([ITEMS, info.channels + 1, ...sizes]) }), 'a sample of more channels');
  await refuses(() => run({ time: tensor(new Float32Array(ITEMS + 1)) }), 'more times than items');
  await refuses(() => run({ by: { ...told, 'no such condition': times } }), 'a condition that it does not take');
  for (const [name, spec] of Object.entries(info.conditions)) {
    // A label that is not given may be the one that stands for none.
    const replaced = spec.kind === 'label' && spec.none !== null;
    if (spec.optional !== true && !replaced) await refuses(() => run({ by: without(told, name) }), `to go without the condition ${name}`);
  }
}

function without(conditions: Conditions, name: string): Conditions {
  return Object.fromEntries(Object.entries(conditions).filter(([other]) => other !== name));
}

/** The largest difference, as a share of the largest number. */
function apart(a: Float32Array, b: Float32Array): number {
  let [difference, most] = [0, 1e-30];
  a.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - b[i]!));
    most = Math.max(most, Math.abs(b[i]!));
  });
  return a.length === b.length ? difference / most : Infinity;
}

/** A condition of each kind that the network declares and cannot do without. */
function conditionsOf(
  { info }: Network<unknown>,
  { sizes, random }: { readonly sizes: readonly number[]; readonly random: (shape: readonly number[]) => Tensor },
): Conditions {
  const required = Object.entries(info.conditions).filter(([, { optional }]) => optional !== true);
  return Object.fromEntries(required.map(([name, spec]) => [name, conditionOf(name, spec)]));

  function conditionOf(name: string, spec: ConditionSpec): Tensor {
    const indices = (shape: readonly number[], below: number): Tensor =>
      tensor(
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % below),
        { shape, dtype: 'int32' },
      );
    switch (spec.kind) {
      case 'label':
        return indices([ITEMS], spec.count);
      case 'vector':
        if (spec.size !== null) return random([ITEMS, spec.size]);
        throw new Error(`the kit does not know how long the condition ${name} is. Give it as conditions.`);
      case 'tokens':
        return random([ITEMS, 3, spec.size]);
      case 'picture':
        return random([ITEMS, spec.channels, ...sizes.slice(-2)]);
      case 'features':
        return random([ITEMS, spec.channels, ...sizes.map((side) => Math.ceil(side / spec.shrink))]);
      case 'scalar':
        return random([ITEMS]);
      case 'camera':
        return random([ITEMS, 16]);
      case 'positions':
        return indices([ITEMS, sizes[0]!], sizes[0]!);
    }
  }
}
