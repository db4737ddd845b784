import { add, expandDims, mul, type Generator, type Tensor } from '@langevin/tensor';
import {
  constant,
  embeddingMlp,
  layerNorm,
  linear,
  normal,
  perItem,
  scoped,
  tapped,
  tapsWithin,
  type EmbeddingMlpParams,
  type LinearParams,
} from '@langevin/nn';
import { checkConditions, defineNetwork, maskOf, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import { checkPicture } from '../patches/check-picture.ts';
import { patchEmbed, type PatchEmbedParams } from '../patches/patch-embed.ts';
import { fromPatches } from '../patches/patches.ts';
import { keyMask } from '../patches/key-mask.ts';
import { pixartBlock, rowOf, type PixartBlockParams } from './block.ts';
import { adaLayerNormSingle, type AdaLayerNormSingleParams } from './conditioning.ts';
import { completePixartConfig, parsePixartConfig, PIXART, takesSizes, type PixartConfig } from './config.ts';

/** Names of diffusers. */
export interface PixartParams {
  readonly pos_embed: PatchEmbedParams;
  readonly transformer_blocks: readonly PixartBlockParams[];
  /** [2, width]: shift and scale of the last norm, beside those of the time. */
  readonly scale_shift_table: Tensor;
  readonly proj_out: LinearParams;
  readonly adaln_single: AdaLayerNormSingleParams;
  /** Absent where the network is given what its blocks read. */
  readonly caption_projection?: EmbeddingMlpParams;
}

export interface PixartOptions {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch', as in diffusers */
  readonly init?: 'torch' | 'zero';
}

/**
 * The text-to-image transformer of PixArt-alpha and PixArt-sigma (Chen et al. 2023, arXiv:2310.00426; 2024, arXiv:2403.04692) in the form
 * of diffusers' `PixArtTransformer2DModel`: same names of parameters, same numbers.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions })` gives [N, outChannels, H, W]; H and W are multiples of `patchSize`. Its
 * conditions:
 * - `text`: tokens [N, S, features] of T5. Their mask matters: the model was trained with it.
 * - `resolution` [N, 2] (height and width in pixels) and `aspect_ratio` [N] (height over width), where `useAdditionalConditions` asks for
 *   them.
 *
 * Taps listen at `transformer_blocks.<i>` and within it at `attn1`, `attn2`, `ff`, `attn1.weights`, `attn2.weights`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const net = pixart({ captionChannels: 4096 });
 * parameterCount(net); // => 611349152
 */
export function pixart(config: Partial<PixartConfig>, options: PixartOptions = {}): Network<PixartParams> {
  const complete = completePixartConfig(config);
  const { patchSize: p, inChannels, sampleSize, numLayers, captionChannels } = complete;
  const width = complete.numAttentionHeads * complete.attentionHeadDim;
  const outputs = complete.outChannels ?? inChannels;
  const isZero = options.init === 'zero';

  const embed = scoped(
    'pos_embed',
    patchEmbed({
      where: PIXART.where,
      channels: inChannels,
      width,
      patch: p,
      positions: {
        kind: 'stretched',
        base: sampleSize / p,
        interpolation: complete.interpolationScale ?? Math.max(Math.floor(sampleSize / 64), 1),
      },
    }),
  );
  const blocks = Array.from({ length: numLayers }, (_, i) => scoped(`transformer_blocks.${i}`, pixartBlock(complete)));
  const normOut = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });
  const table = normal({ deviation: 1 / Math.sqrt(width) });
  const zero = { weightInit: constant(0), biasInit: constant(0) };
  const projOut = scoped('proj_out', linear({ inputs: width, outputs: p * p * outputs, ...(isZero && zero) }));
  const adaln = scoped('adaln_single', adaLayerNormSingle({ width, sizes: takesSizes(complete) ? 'told' : 'none' }));
  const caption =
    captionChannels === null
      ? undefined
      : scoped('caption_projection', embeddingMlp({ inputs: captionChannels, outputs: width, activation: 'gelu-approximate' }));
  const specs = conditionsOf(complete);

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
    init(generator: Generator): PixartParams {
      return {
        pos_embed: embed.init(generator),
        transformer_blocks: blocks.map((block) => block.init(generator)),
        scale_shift_table: table(generator, [2, width]),
        proj_out: projOut.init(generator),
        adaln_single: adaln.init(generator),
        ...(caption && { caption_projection: caption.init(generator) }),
      };
    },
    apply(params: PixartParams, ...[x, time, { conditions = {}, mode, taps } = {}]: NetworkArguments) {
      checkPicture(PIXART.where, x, { channels: inChannels, patch: p });
      const n = x.shape[0]!;
      checkConditions(PIXART.where, conditions, { specs, batch: n });
      const { embedded, vectors } = adaln.apply(params.adaln_single, {
        time: perItem(time, n, 'time'),
        resolution: conditions['resolution'],
        aspectRatio: conditions['aspect_ratio'],
      });
      const given = conditions['text'];
      const text = caption && given ? caption.apply(params.caption_projection!, given) : given;
      const mask = keyMask(conditions[maskOf('text')]);
      const h = blocks.reduce(
        (at, block, i) => {
          const place = `transformer_blocks.${i}`;
          const flow = { vectors, text, mask, mode, taps: tapsWithin(taps, place) };
          return tapped(taps, place, block.apply(params.transformer_blocks[i]!, at, flow));
        },
        embed.apply(params.pos_embed, x),
      );
      return finish(params, { h, embedded, grid: [x.shape[2]! / p, x.shape[3]! / p] });
    },
  });

  function finish(
    params: PixartParams,
    { h, embedded, grid }: { readonly h: Tensor; readonly embedded: Tensor; readonly grid: readonly [number, number] },
  ): Tensor {
    const own = (row: number): Tensor => add(rowOf(params.scale_shift_table, row), expandDims(embedded, 1)); // [N, 1, D]
    const normal = add(mul(normOut.apply({}, h), add(own(1), 1)), own(0));
    return fromPatches(projOut.apply(params.proj_out, normal), grid, p);
  }
}

function conditionsOf(config: PixartConfig): ConditionSpecs {
  const text = config.captionChannels ?? config.crossAttentionDim;
  return {
    ...(text !== null && { text: { kind: 'tokens', size: text } as const }),
    ...(takesSizes(config) && ({ resolution: { kind: 'vector', size: 2 }, aspect_ratio: { kind: 'scalar' } } as const)),
  };
}

/** {@link pixart} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function pixartFromConfig(json: unknown, options: PixartOptions = {}): Network<PixartParams> {
  return pixart(parsePixartConfig(json), options);
}
