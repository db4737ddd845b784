import type { Autoencoder, Posterior } from '@langevin/core';
import { readOptions, shownValue, UserError, type Generator, type Operand, type Tensor } from '@langevin/tensor';

/** What a forward pass changes and no gradient does, as a plain tree of tensors. */
export type RegulariserBuffers = Readonly<Record<string, Tensor>>;

/** What becomes of a posterior on its way to the decoder. */
export interface Bottleneck {
  /** What is decoded. */
  readonly latent: Tensor;
  /** What it costs each item, [N], in the unit of the reconstruction: sums over its elements, in nats where that has a meaning. */
  readonly penalty: Tensor;
  /** Scalars to log, by name: divergence, perplexity. */
  readonly parts: Readonly<Record<string, Tensor>>;
  /** @default those that were given */
  readonly buffers?: RegulariserBuffers;
}

/** What a regulariser is given in a step. */
export interface BottleneckInput {
  readonly autoencoder: Autoencoder<unknown>;
  readonly params: unknown;
  readonly posterior: Posterior;
  readonly buffers: RegulariserBuffers;
  /** Elements of one item, which a mean over them is multiplied by to be a sum. */
  readonly elements: number;
  /** What its `inputs` made for this step. */
  readonly inputs: Readonly<Record<string, Operand>>;
}

/** The place of a step, and what may be drawn for it. */
export interface RegulariserStep {
  readonly autoencoder: Autoencoder<unknown>;
  /** From 0. */
  readonly step: number;
  /** Of the latents, [N, channels, ...]. */
  readonly latentShape: readonly number[];
  /** A fresh generator for one purpose, a function of (seed, step, purpose). */
  readonly random: (purpose: string) => Generator;
}

/** What holds latents to a form: close to a normal distribution, or to codes. A frozen value of {@link defineRegulariser}. */
export interface Regulariser {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** The paper and the equation. */
  readonly source: string;
  /** Why it does not fit an autoencoder and its posteriors, as an end of a sentence: `it has no codes`. @default it fits all */
  readonly misfit?: (autoencoder: Autoencoder<unknown>, posterior: Posterior) => string | undefined;
  /** Buffers before the first step. @default none */
  readonly buffers?: (autoencoder: Autoencoder<unknown>, params: unknown) => RegulariserBuffers;
  /** Host numbers of a step: noise, weights that rise, temperatures. Inputs of the compiled graph. @default none */
  readonly inputs?: (at: RegulariserStep) => Readonly<Record<string, Operand>>;
  /** Nodes of the graph. */
  readonly apply: (input: BottleneckInput) => Bottleneck;
  /** Parameters after an update, where buffers decide some of them: a codebook of moving averages. @default as they are */
  readonly afterUpdate?: (given: Pick<BottleneckInput, 'autoencoder' | 'params' | 'buffers'>) => unknown;
}

/**
 * A regulariser as a frozen value.
 *
 * @throws UserError when its name is not well-formed, or `apply` is no function
 * @example
 * const shrink = defineRegulariser({
 *   name: 'shrink', summary: 'Latents are pulled to zero.', source: 'ridge regression',
 *   apply: ({ posterior: { mode } }) => ({ latent: mode, penalty: sum(square(mode), { axes: [1, 2, 3] }), parts: {} }),
 * });
 * shrink.name; // => 'shrink'
 */
export function defineRegulariser(regulariser: Regulariser): Regulariser {
  const where = 'latent-ae/regulariser';
  const { name, apply } = readOptions(where, regulariser);
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(name))
    throw new UserError(`[${where}] name is not well-formed: name=${shownValue(name)}. Use lower-case letters, digits and hyphens.`);
  if (typeof apply !== 'function')
    throw new UserError(`[${where}] there is nothing to apply: apply=${shownValue(apply)}. Pass a function from a posterior to a latent.`);
  return Object.freeze({ ...regulariser });
}

/** @throws UserError when a regulariser does not fit an autoencoder, of which a posterior is given */
export function checkFits(regulariser: Regulariser, { autoencoder, posterior }: Pick<BottleneckInput, 'autoencoder' | 'posterior'>): void {
  const why = regulariser.misfit?.(autoencoder, posterior);
  if (why === undefined) return;
  throw new UserError(
    `[latent-ae/${regulariser.name}] regulariser does not fit the autoencoder: ${why}. Choose another regulariser, or another autoencoder.`,
  );
}
