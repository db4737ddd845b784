import type { Autoencoder } from '@langevin/core';
import {
  embeddingMlp,
  layerNorm,
  linear,
  normal,
  scoped,
  transformerBlock,
  type EmbeddingMlpParams,
  type LinearParams,
  type NormParams,
  type TransformerBlockParams,
} from '@langevin/nn';
import { add, broadcastTo, swapAxes, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { gaussianPosterior } from '../gaussian-posterior.ts';
import {
  completePointSetAutoencoderConfig,
  parsePointSetAutoencoderConfig,
  POINT_SET_AUTOENCODER,
  type PointSetAutoencoderConfig,
} from './config.ts';
import { crossBlock, type CrossBlockParams } from './cross-block.ts';

/** Queries have features of [tokens, channels]. */
interface CoderParams {
  readonly queries: Tensor;
  readonly gather: CrossBlockParams;
  readonly blocks: readonly TransformerBlockParams[];
  readonly norm_out: NormParams;
  readonly proj_out: LinearParams;
}

export interface PointSetAutoencoderParams {
  readonly encoder: CoderParams & { readonly embedder: EmbeddingMlpParams };
  readonly decoder: CoderParams & { readonly proj_in: LinearParams; readonly token_embedding: Tensor };
}

/**
 * An autoencoder of sets of points [N, inChannels, P] with a normal posterior over a few tokens [N, latentChannels, numLatents]: learned
 * queries gather from the points, whose order counts for nothing, and other learned queries gather points from the tokens (Zhang et al.
 * 2023, arXiv:2301.11445, sec. 4, whose queries these are; Lee et al. 2019, arXiv:1810.00825). It is trained by `chamfer`.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example
 * const vae = pointSetAutoencoder({ numPoints: 12, numLatents: 3, latentChannels: 2, numAttentionHeads: 2, attentionHeadDim: 4 });
 * const params = vae.init(torchGenerator(0));
 * const { mode } = vae.encode(params, zeros([1, 3, 20]));
 * [mode.shape, vae.decode(params, mode).shape]; // => [[1, 2, 3], [1, 3, 12]]
 */
export function pointSetAutoencoder(config: Partial<PointSetAutoencoderConfig> = {}): Autoencoder<PointSetAutoencoderParams> {
  const complete = completePointSetAutoencoderConfig(config);
  const { inChannels, latentChannels, numPoints, numLatents, numAttentionHeads: heads, scalingFactor, shiftFactor } = complete;
  const { where } = POINT_SET_AUTOENCODER;
  const channels = heads * complete.attentionHeadDim;
  const embedder = scoped('encoder.embedder', embeddingMlp({ inputs: inChannels, outputs: channels }));
  const projIn = scoped('decoder.proj_in', linear({ inputs: latentChannels, outputs: channels }));
  const [encoder, decoder] = [
    coder('encoder', { channels, heads, layers: complete.numLayers, queries: numLatents, outputs: 2 * latentChannels }),
    coder('decoder', { channels, heads, layers: complete.numLayers, queries: numPoints, outputs: inChannels }),
  ];
  const refuse = (what: string, shape: readonly number[], wanted: string): never => {
    throw new UserError(`[${where}] ${what} do not fit: [${shape.join(', ')}]. Give ${wanted}.`);
  };
  const latentShape = (shape: readonly number[]): readonly number[] => {
    if (shape.length !== 3 || shape[1] !== inChannels || shape.includes(0)) refuse('points', shape, `[N, ${inChannels}, P]`);
    return [shape[0]!, latentChannels, numLatents];
  };
  return Object.freeze({
    info: Object.freeze({
      ...{ inputs: inChannels, channels: latentChannels, factor: [numPoints / numLatents], scale: scalingFactor, shift: shiftFactor },
    }),
    lastLayer: 'decoder.proj_out.weight',
    latentShape,
    init(generator: Generator): PointSetAutoencoderParams {
      const tokens = normal({ deviation: 1 });
      return {
        encoder: { embedder: embedder.init(generator), ...encoder.init(generator) },
        decoder: {
          proj_in: projIn.init(generator),
          token_embedding: tokens(generator, [numLatents, channels]),
          ...decoder.init(generator),
        },
      };
    },
    encode({ encoder: params }: PointSetAutoencoderParams, x: Tensor) {
      latentShape(x.shape);
      const points = embedder.apply(params.embedder, swapAxes(x, 1, 2));
      const tokens = encoder.amongTokens(params, encoder.gathered(params, points));
      return gaussianPosterior(swapAxes(encoder.out(params, tokens), 1, 2));
    },
    decode({ decoder: params }: PointSetAutoencoderParams, z: Tensor) {
      const [n, size, count] = z.shape;
      if (z.rank !== 3 || n === 0 || size !== latentChannels || count !== numLatents)
        refuse('latents', z.shape, `[N, ${latentChannels}, ${numLatents}]`);
      const tokens = add(projIn.apply(params.proj_in, swapAxes(z, 1, 2)), params.token_embedding);
      const points = decoder.gathered(params, decoder.amongTokens(params, tokens));
      return swapAxes(decoder.out(params, points), 1, 2);
    },
  });
}

interface CoderConfig {
  readonly channels: number;
  readonly heads: number;
  readonly layers: number;
  readonly queries: number;
  readonly outputs: number;
}

/** What encoder and decoder both are made of; they differ in whether tokens see each other before or after queries gather. */
function coder(name: string, { channels, heads, layers, queries, outputs }: CoderConfig) {
  const gather = scoped(`${name}.gather`, crossBlock({ channels, heads }));
  const blocks = Array.from({ length: layers }, (_, i) =>
    scoped(`${name}.blocks.${i}`, transformerBlock({ channels, heads, contextChannels: null })),
  );
  const norm = layerNorm({ channels });
  const out = scoped(`${name}.proj_out`, linear({ inputs: channels, outputs }));
  return {
    init: (generator: Generator): CoderParams => ({
      queries: normal({ deviation: 1 })(generator, [queries, channels]),
      gather: gather.init(generator),
      blocks: blocks.map((block) => block.init(generator)),
      norm_out: norm.init(generator),
      proj_out: out.init(generator),
    }),
    gathered: (params: CoderParams, from: Tensor): Tensor =>
      gather.apply(params.gather, broadcastTo(params.queries, [from.shape[0]!, queries, channels]), from),
    amongTokens: (params: CoderParams, tokens: Tensor): Tensor =>
      blocks.reduce((state, block, i) => block.apply(params.blocks[i]!, state, {}), tokens),
    out: (params: CoderParams, tokens: Tensor): Tensor => out.apply(params.proj_out, norm.apply(params.norm_out, tokens)),
  };
}

/** {@link pointSetAutoencoder} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function pointSetAutoencoderFromConfig(json: unknown): Autoencoder<PointSetAutoencoderParams> {
  return pointSetAutoencoder(parsePointSetAutoencoderConfig(json));
}
