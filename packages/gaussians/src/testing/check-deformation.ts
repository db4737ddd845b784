import { shapesOnly } from '@langevin/nn';
import {
  counterGenerator,
  errorKind,
  mapTensors,
  sum,
  tensor,
  add,
  item,
  realize,
  tensorsOf,
  valueAndGrad,
  float32Data,
} from '@langevin/tensor';
import type { Registry } from '@langevin/core';
import { deformationData, playback } from '../dynamic/data.ts';
import { deformationByName } from '../dynamic/deformation-by-name.ts';
import type { Deformation } from '../dynamic/deformation.ts';
import { movedGaussians, movingTensors, MOVING } from '../dynamic/moved-gaussians.ts';
import { deform } from '../dynamic/deformation.ts';
import type { Gaussians } from '../gaussians.ts';
import { demand, refusal, sameBits } from './demand.ts';
import { inBothPrecisions, randomScene } from './random-scene.ts';

export interface CheckDeformationOptions {
  /** The deformations by name, the one to check included. */
  readonly known: Registry<Deformation<unknown>>;
  /** Options of it besides the box: small, so that the check takes a moment. @default none */
  readonly options?: Readonly<Record<string, unknown>>;
}

const BOX = { center: [0, 0, 0], radius: 1.5 } as const;
/** Playback in plain numbers and tensors of an engine round differently, in networks of a few layers. */
const TOLERANCE = 1e-4;

/**
 * Proves of a deformation what each has to keep: fresh weights move nothing; moment 0 stands still, bit for bit, unless the exponent is 0;
 * something moves with other weights; playback without an engine gives what tensors give; its configuration, through JSON, makes the same
 * again; every weight has a rate and a gradient; weights of another shape are refused. The default engine computes.
 *
 * @throws Error saying what the deformation does not keep
 * @example
 * // not run: for tests, which need an engine
 * await checkDeformation('mlp', { known: deformations, options: { width: 8, depth: 1 } });
 */
export async function checkDeformation(name: string, { known, options = {} }: CheckDeformationOptions): Promise<void> {
  const part = `deformation ${name}`;
  const made = deformationByName(name, { ...options, box: BOX }, known);
  const { single: gaussians } = inBothPrecisions(randomScene({ seed: 21, count: 6, degree: 0 }).gaussians);
  const fresh = made.init(counterGenerator({ seed: 1, stream: [0] }));
  const at = (deformation: Deformation<unknown>, params: unknown, time: number): Promise<Gaussians> =>
    movedGaussians(deformation, { params, gaussians, time });
  demand(part, same(await at(made, fresh, 0.7), gaussians), 'moves something with fresh weights');

  const params = stirred(fresh);
  if (made.config.exponent > 0) demand(part, same(await at(made, params, 0), gaussians), 'moves something at time 0');
  const moved = await at(made, params, 0.6);
  demand(part, !same(moved, gaussians), 'moves nothing, whatever its weights');

  const data = await deformationData(made, params);
  const file = { ...data, config: JSON.parse(JSON.stringify(data.config)) as typeof data.config };
  const played = playback(gaussians, file, known)(0.6);
  for (const array of MOVING) {
    const apart = played[array].reduce((most, value, i) => Math.max(most, Math.abs(value - moved[array][i]!)), 0);
    demand(part, apart <= TOLERANCE, `plays other ${array} than tensors give: apart by ${apart}`);
  }
  const again = deformationByName(name, file.config, known);
  demand(part, same(await at(again, params, 0.6), moved), 'is not made again by its own configuration');

  const parts = Object.keys(fresh as Readonly<Record<string, unknown>>);
  for (const of of parts) demand(part, (made.rates[of] ?? 0) > 0, `has no learning rate for its weights "${of}"`);
  await gradientsOf(part, made, { params, gaussians });
  const [first] = Object.keys(data.tensors);
  const broken = { ...file, tensors: { ...file.tensors, [first!]: { dtype: 'float32', shape: [1], data: new Float32Array(1) } } };
  const error = await refusal(part, () => playback(gaussians, broken, known), 'weights of another shape');
  demand(part, errorKind(error) === 'user', 'throws no UserError for weights of another shape');
  demand(part, tensorsOf(made.init(shapesOnly)).length === tensorsOf(fresh).length, 'has other weights from another generator');
}

/** Weights that are all something: fresh ones move nothing. */
function stirred(params: unknown): unknown {
  const noise = counterGenerator({ seed: 4, stream: [1] });
  return mapTensors(params, (x) =>
    add(
      x,
      tensor(
        Float32Array.from(noise.uniform(x.size), (value) => 0.4 * value - 0.2),
        { shape: x.shape },
      ),
    ),
  );
}

function same(a: Gaussians, b: Gaussians): boolean {
  return MOVING.every((name) => sameBits(a[name], b[name]));
}

/** The derivative along the gradient is the gradient's squared norm; a weight that nothing depends on would never learn. */
async function gradientsOf(
  part: string,
  deformation: Deformation<unknown>,
  { params, gaussians }: { readonly params: unknown; readonly gaussians: Gaussians },
): Promise<void> {
  const loss = (given: unknown) => {
    const moved = deform({ deformation, params: given }, movingTensors(gaussians), 0.6);
    return MOVING.map((name) => sum(moved[name])).reduce((a, b) => add(a, b));
  };
  const { value, grad } = valueAndGrad(loss)(params);
  demand(part, Number.isFinite(await item(value)), 'gives no finite numbers');
  await realize(tensorsOf(grad));
  const arrays = await Promise.all(tensorsOf(grad).map((x) => float32Data(x)));
  demand(
    part,
    arrays.every((array) => array.every(Number.isFinite)),
    'has gradients that are no numbers',
  );
  demand(
    part,
    arrays.some((array) => array.some((x) => x !== 0)),
    'has no gradient by its weights',
  );
}
