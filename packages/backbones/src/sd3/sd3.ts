import type { Generator, Tensor } from '@langevin/tensor';
import {
  adaLayerNormContinuous,
  constant,
  linear,
  perItem,
  scoped,
  tapped,
  tapsWithin,
  type LinearParams,
  type ModulationParams,
} from '@langevin/nn';
import { checkConditions, defineNetwork, maskOf, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import { jointBlock, type JointBlockParams, type Streams } from '../joint/joint-block.ts';
import { timeTextEmbedding, type TimeTextEmbeddingParams } from '../joint/time-text-embedding.ts';
import { checkPicture } from '../patches/check-picture.ts';
import { keyMask } from '../patches/key-mask.ts';
import { patchEmbed, type PatchEmbedParams } from '../patches/patch-embed.ts';
import { fromPatches } from '../patches/patches.ts';
import { completeSd3Config, parseSd3Config, SD3, type Sd3Config } from './config.ts';

/** Names of diffusers. */
export interface Sd3Params {
  readonly pos_embed: PatchEmbedParams;
  readonly time_text_embed: TimeTextEmbeddingParams;
  readonly context_embedder: LinearParams;
  readonly transformer_blocks: readonly JointBlockParams[];
  readonly norm_out: ModulationParams;
  readonly proj_out: LinearParams;
}

export interface Sd3Options {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch', as in diffusers */
  readonly init?: 'torch' | 'zero';
}

/**
 * MM-DiT, the transformer of Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv:2403.03206) in the form of diffusers'
 * `SD3Transformer2DModel`: same names of parameters, same numbers.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions })` gives [N, outChannels, H, W]; H and W are multiples of `patchSize`. Its
 * conditions:
 * - `text`: tokens [N, S, jointAttentionDim]. The released models were trained without a mask; one that is given is kept to.
 * - `pooled`: the text as a whole, [N, pooledProjectionDim]
 *
 * Taps listen at `transformer_blocks.<i>` (the picture's tokens) and within it at `attn`, `attn.text`, `attn2`, `ff`, `attn.weights`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const net = sd3({ numAttentionHeads: 24, captionProjectionDim: 1536, numLayers: 24, posEmbedMaxSize: 192 });
 * net.info.conditions; // => { text: { kind: 'tokens', size: 4096 }, pooled: { kind: 'vector', size: 2048 } }
 */
export function sd3(config: Partial<Sd3Config>, options: Sd3Options = {}): Network<Sd3Params> {
  const complete = completeSd3Config(config);
  const { patchSize: p, inChannels, sampleSize, numLayers, posEmbedMaxSize: largest, numAttentionHeads: heads } = complete;
  const width = heads * complete.attentionHeadDim;
  const outputs = complete.outChannels ?? inChannels;
  const base = sampleSize / p;
  const embed = scoped(
    'pos_embed',
    patchEmbed({
      where: SD3.where,
      channels: inChannels,
      width,
      patch: p,
      positions: largest === null ? { kind: 'stretched', base } : { kind: 'cropped', base, largest },
    }),
  );
  const condition = scoped('time_text_embed', timeTextEmbedding({ width, pooled: complete.pooledProjectionDim, guidance: 'none' }));
  const embedText = scoped('context_embedder', linear({ inputs: complete.jointAttentionDim, outputs: width }));
  const blocks = Array.from({ length: numLayers }, (_, i) =>
    scoped(
      `transformer_blocks.${i}`,
      jointBlock({
        width,
        heads,
        headSize: complete.attentionHeadDim,
        normalize: complete.qkNorm === null ? 'none' : 'rms',
        place: i === numLayers - 1 ? 'last' : 'inner',
        attentions: complete.dualAttentionLayers.includes(i) ? 'joint and own' : 'joint',
      }),
    ),
  );
  const normOut = scoped('norm_out', adaLayerNormContinuous({ channels: width }));
  const zero = { weightInit: constant(0), biasInit: constant(0) };
  const projOut = scoped('proj_out', linear({ inputs: width, outputs: p * p * outputs, ...(options.init === 'zero' && zero) }));
  const specs: ConditionSpecs = {
    text: { kind: 'tokens', size: complete.jointAttentionDim },
    pooled: { kind: 'vector', size: complete.pooledProjectionDim },
  };

  return defineNetwork({
    info: {
      channels: inChannels,
      outChannels: outputs,
      outputs: outputs === 2 * inChannels ? ['prediction', 'variance'] : ['prediction'],
      axes: 'hw',
      size: [sampleSize, sampleSize],
      multiple: p,
      time: 'timestep',
      conditions: specs,
    },
    init: (generator: Generator): Sd3Params => ({
      pos_embed: embed.init(generator),
      time_text_embed: condition.init(generator),
      context_embedder: embedText.init(generator),
      transformer_blocks: blocks.map((block) => block.init(generator)),
      norm_out: normOut.init(generator),
      proj_out: projOut.init(generator),
    }),
    apply(params: Sd3Params, ...[x, time, { conditions = {}, taps } = {}]: NetworkArguments): Tensor {
      checkPicture(SD3.where, x, { channels: inChannels, patch: p });
      const n = x.shape[0]!;
      checkConditions(SD3.where, conditions, { specs, batch: n });
      const grid = [x.shape[2]! / p, x.shape[3]! / p] as const;
      const told = condition.apply(params.time_text_embed, { time: perItem(time, n, 'time'), pooled: conditions['pooled']! });
      const mask = keyMask(conditions[maskOf('text')], grid[0] * grid[1]);
      const start: Streams = { x: embed.apply(params.pos_embed, x), text: embedText.apply(params.context_embedder, conditions['text']!) };
      const end = blocks.reduce((streams, block, i) => {
        const place = `transformer_blocks.${i}`;
        const next = block.apply(params.transformer_blocks[i]!, streams, { condition: told, mask, taps: tapsWithin(taps, place) });
        return { ...next, x: tapped(taps, place, next.x) };
      }, start);
      return fromPatches(projOut.apply(params.proj_out, normOut.apply(params.norm_out, end.x, told)), grid, p);
    },
  });
}

/** {@link sd3} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function sd3FromConfig(json: unknown, options: Sd3Options = {}): Network<Sd3Params> {
  return sd3(parseSd3Config(json), options);
}
