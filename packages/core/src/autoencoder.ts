import type { Generator, Tensor } from '@langevin/tensor';

/** What an encoder says of its latent: a distribution to sample from or take the middle of, or codes. */
export interface Posterior {
  /** The most probable latent, [N, channels, ...]; for codes the only one. */
  readonly mode: Tensor;
  /** A latent drawn with unit noise of its shape; for codes the mode. */
  readonly sample: (noise: Tensor) => Tensor;
  /** The divergence from N(0, I) of each item, [N], in nats; absent for codes. */
  readonly divergence?: Tensor;
  /** Mean and log variance stacked along the channels, [N, 2 channels, ...]: what can be blended or stored; absent for codes. */
  readonly moments?: Tensor;
  /** How probable each code is at each place, before they are made to sum to 1, [N, codes, ...]; of encoders that choose codes so. */
  readonly logits?: Tensor;
}

export interface AutoencoderInfo {
  /** Channels of what is encoded. */
  readonly inputs: number;
  /** Channels of a latent. */
  readonly channels: number;
  /** How much smaller a latent is along each axis behind the channels. */
  readonly factor: readonly number[];
  /** A latent z is diffused over as (z - shift) * scale, one number each or one for each channel, so that it has unit variance. */
  readonly scale: number | readonly number[];
  readonly shift: number | readonly number[];
}

/**
 * An encoder and a decoder of any modality: pictures, clips, sequences, point sets. What is diffused over its latents knows nothing else of
 * it.
 */
export interface Autoencoder<Params> {
  readonly info: AutoencoderInfo;
  /** Fresh parameters; their names are those of its class in diffusers, where there is one. */
  readonly init: (generator: Generator) => Params;
  /** The shape of the latent of a sample. @throws UserError for a shape that cannot be encoded */
  readonly latentShape: (shape: readonly number[]) => readonly number[];
  readonly encode: (params: Params, x: Tensor) => Posterior;
  readonly decode: (params: Params, z: Tensor) => Tensor;
  /** The name of the parameter that the decoder ends with, where losses are weighed against each other: `decoder.conv_out.weight`. */
  readonly lastLayer?: string;
}
