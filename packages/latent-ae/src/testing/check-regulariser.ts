import type { Autoencoder } from '@langevin/core';
import { numbersOf } from '@langevin/nn/testing';
import { counterGenerator, gradients, mul, namedTensors, numbers, sum, torchGenerator, type Engine, type Tensor } from '@langevin/tensor';
import { isCoded } from '../coded-autoencoder.ts';
import { checkFits, type Regulariser, type RegulariserBuffers } from '../regulariser.ts';

export interface CheckRegulariserOptions<Params> {
  /** One that it fits. */
  readonly autoencoder: Autoencoder<Params>;
  /** Of a batch, [N, inputs, ...]. @default two items, four cells of the latent on each axis */
  readonly shape?: readonly number[];
  /** @default the default engine */
  readonly engine?: Engine;
}

/**
 * Proves of a regulariser what every regulariser has to keep: latents have the shape of latents; a penalty is one finite number at least 0
 * for each item, whatever the batch; the gradient of what is decoded reaches the encoder; buffers keep their names and shapes, and
 * parameters theirs after an update; the same numbers give the same latents.
 *
 * @throws Error saying what it does not keep
 */
export async function checkRegulariser<Params>(
  regulariser: Regulariser,
  { autoencoder: given, shape, engine }: CheckRegulariserOptions<Params>,
): Promise<void> {
  const autoencoder = given as Autoencoder<unknown>;
  const on = engine === undefined ? {} : { engine };
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`regulariser ${regulariser.name} ${what}`);
  };
  const of = shape ?? [2, autoencoder.info.inputs, ...autoencoder.info.factor.map((factor) => 4 * factor)];
  const params = autoencoder.init(torchGenerator(1));
  const x = mul(numbersOf('regulariser/x', of), 0.5);
  const latentShape = autoencoder.latentShape(of);
  const posterior = autoencoder.encode(params, x);
  checkFits(regulariser, { autoencoder, posterior });
  const buffers: RegulariserBuffers = regulariser.buffers?.(autoencoder, params) ?? {};
  const inputs =
    regulariser.inputs?.({
      autoencoder,
      step: 3,
      latentShape,
      random: (purpose) => counterGenerator({ seed: 5, stream: [purpose.length] }),
    }) ?? {};
  const elements = x.size / of[0]!;
  const applied = () => regulariser.apply({ autoencoder, params, posterior, buffers, elements, inputs });
  const { latent, penalty, parts, buffers: moved = buffers } = applied();
  const again = applied().latent;
  demand(
    latent.shape.join() === latentShape.join(),
    `gives latents of [${latent.shape.join()}], and the autoencoder says [${latentShape.join()}]`,
  );
  demand(penalty.shape.join() === String(of[0]), `gives a penalty of [${penalty.shape.join()}] for ${of[0]} items`);
  // Before anything is read: what is read is a number, and has no gradient any more.
  const decoded = isCoded(autoencoder) ? autoencoder.decodeQuantized(params, latent) : autoencoder.decode(params, latent);
  const encoded = posterior.logits ?? posterior.mode;
  const [slope] = gradients([sum(mul(decoded, numbersOf('regulariser/cotangent', decoded.shape)))], [encoded]) as [Tensor];
  const costs = await numbers(penalty, on);
  demand(
    costs.every((cost) => Number.isFinite(cost) && cost >= 0),
    `gives a penalty that is no number at least 0: ${costs.join(', ')}`,
  );
  for (const [name, part] of Object.entries(parts)) demand(part.size === 1, `logs ${name} as [${part.shape.join()}]: log one number`);
  const same = await numbers(again, on);
  demand(
    (await numbers(latent, on)).every((value, i) => value === same[i]),
    'gives other latents for the same numbers',
  );
  const slopes = await numbers(slope, on);
  demand(slopes.every(Number.isFinite) && slopes.some((value) => value !== 0), 'lets no gradient through to the encoder');
  demand(sameTree(moved, buffers), 'changes the names or shapes of its buffers');
  const after = regulariser.afterUpdate?.({ autoencoder, params, buffers: moved }) ?? params;
  demand(sameTree(after, params), 'changes the names or shapes of parameters after an update');
}

function sameTree(a: unknown, b: unknown): boolean {
  const of = (tree: unknown): string => [...namedTensors(tree)].map(([name, { shape }]) => `${name} ${shape.join()}`).join('\n');
  return of(a) === of(b);
}
