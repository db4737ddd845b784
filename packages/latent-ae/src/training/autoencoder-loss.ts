import type { Autoencoder } from '@langevin/core';
import {
  add,
  div,
  exp,
  gradients,
  minimum,
  mean,
  mul,
  namedTensors,
  sqrt,
  square,
  stopGradient,
  sum,
  type Operand,
  type Tensor,
} from '@langevin/tensor';
import { isCoded } from '../coded-autoencoder.ts';
import type { ReconstructionLoss } from '../reconstruction-loss.ts';
import type { Regulariser, RegulariserBuffers } from '../regulariser.ts';

/** What training changes of an autoencoder. */
export interface TrainedParams {
  readonly autoencoder: unknown;
  /** Logarithm of the variance that differences are measured in, [], where it is learned. */
  readonly logVariance?: Tensor;
}

/** What the losses of an autoencoder are made of. */
export interface AutoencoderLossParts {
  readonly autoencoder: Autoencoder<unknown>;
  readonly regulariser: Regulariser;
  readonly losses: readonly ReconstructionLoss[];
}

export interface AutoencoderLossInput {
  /** [N, inputs, ...] */
  readonly x: Tensor;
  readonly buffers: RegulariserBuffers;
  /** Of the regulariser, for this step. */
  readonly inputs: Readonly<Record<string, Operand>>;
}

/** A pass through the autoencoder, with its losses as numbers. */
export interface AutoencoderPass {
  readonly reconstruction: Tensor;
  /** Mean over items of the reconstruction losses for each element, before the learned variance. */
  readonly distance: Tensor;
  /** Mean over items of the sum over elements: the negative log-likelihood where the loss is one. */
  readonly likelihood: Tensor;
  /** The part of it that the learned variance moves; absent where it is fixed. */
  readonly ofVariance?: Tensor;
  /** Mean over items. */
  readonly penalty: Tensor;
  readonly elements: number;
  readonly parts: Readonly<Record<string, Tensor>>;
  readonly buffers: RegulariserBuffers;
}

/** Encode, regularise, decode, compare: nodes of the graph. */
export function autoencoderPass(parts: AutoencoderLossParts, params: TrainedParams, input: AutoencoderLossInput): AutoencoderPass {
  const { autoencoder, regulariser, losses } = parts;
  const { x, buffers, inputs } = input;
  const elements = x.size / x.shape[0]!;
  const posterior = autoencoder.encode(params.autoencoder, x);
  const bottleneck = regulariser.apply({ autoencoder, params: params.autoencoder, posterior, buffers, elements, inputs });
  const reconstruction = isCoded(autoencoder)
    ? autoencoder.decodeQuantized(params.autoencoder, bottleneck.latent)
    : autoencoder.decode(params.autoencoder, bottleneck.latent);
  const distances = losses
    .map((loss) => mul(loss.apply({ target: x, reconstruction }), loss.weight ?? 1))
    .reduce((total, each) => add(total, each));
  const distance = mean(distances);
  const { logVariance } = params;
  const scaled = (d: Tensor): Tensor => mul(logVariance === undefined ? d : add(div(d, exp(logVariance)), logVariance), elements);
  return {
    reconstruction,
    distance,
    likelihood: scaled(distance),
    ...(logVariance !== undefined && { ofVariance: scaled(stopGradient(distance)) }),
    penalty: mean(bottleneck.penalty),
    elements,
    parts: bottleneck.parts,
    buffers: bottleneck.buffers ?? buffers,
  };
}

/** Keeps the ratio of two gradients finite, and bounded: latent diffusion's numbers. */
const FLOOR = 1e-4;
const MOST = 1e4;

export interface AdversarialInput {
  /** What the discriminator's verdict costs the decoder, a number. */
  readonly adversarial: Tensor;
  /** How much it counts beside the reconstruction. */
  readonly weight: number;
  /** Whether the weight is relative to the gradients that both have at the decoder's last layer, or as it is. */
  readonly balance: 'last-layer' | 'none';
}

/**
 * A number whose gradient is that of reconstruction, penalty and verdict together, where every pass is made once: the two gradients at the
 * reconstruction are taken, weighed and pulled back as one. With `balance` the verdict's weight is |dL/dW| / (|dG/dW| + 1e-4), at most
 * 1e4, at the last layer's W (Esser et al. 2021, arXiv:2012.09841, eq. 7).
 */
export function withVerdict(
  { autoencoder }: Pick<AutoencoderLossParts, 'autoencoder'>,
  { params, pass }: { readonly params: TrainedParams; readonly pass: AutoencoderPass },
  { adversarial, weight, balance }: AdversarialInput,
): { readonly surrogate: Tensor; readonly weight: Tensor | number } {
  const { reconstruction, likelihood, ofVariance, penalty } = pass;
  const [ofLikelihood] = gradients([likelihood], [reconstruction]) as [Tensor];
  const [ofVerdict] = gradients([adversarial], [reconstruction]) as [Tensor];
  const last = namedTensors(params.autoencoder).get(autoencoder.lastLayer!)!;
  const size = (cotangent: Tensor): Tensor =>
    sqrt(sum(square((gradients([reconstruction], [last], { cotangents: [cotangent] }) as [Tensor])[0])));
  const share =
    balance === 'none' ? weight : mul(stopGradient(minimum(div(size(ofLikelihood), add(size(ofVerdict), FLOOR)), MOST)), weight);
  const pulled = sum(mul(stopGradient(add(ofLikelihood, mul(ofVerdict, share))), reconstruction));
  return { surrogate: [penalty, ...(ofVariance ? [ofVariance] : [])].reduce((total, each) => add(total, each), pulled), weight: share };
}
