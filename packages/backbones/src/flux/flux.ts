import { checkConditions, defineNetwork, maskOf, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import {
  adaLayerNormContinuous,
  constant,
  linear,
  perItem,
  rotaryTable,
  scoped,
  tapped,
  tapsWithin,
  type LinearParams,
  type ModulationParams,
} from '@langevin/nn';
import { concat, reshape, slice, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { jointBlock, type JointBlockParams, type Streams } from '../joint/joint-block.ts';
import { timeTextEmbedding, type TimeTextEmbeddingParams } from '../joint/time-text-embedding.ts';
import { checkPicture } from '../patches/check-picture.ts';
import { keyMask } from '../patches/key-mask.ts';
import { toPatches } from '../patches/patches.ts';
import { completeFluxConfig, FLUX, PACKED, parseFluxConfig, type FluxConfig } from './config.ts';
import { singleBlock, type SingleBlockParams } from './single-block.ts';

/** Names of diffusers. */
export interface FluxParams {
  readonly time_text_embed: TimeTextEmbeddingParams;
  readonly context_embedder: LinearParams;
  readonly x_embedder: LinearParams;
  readonly transformer_blocks: readonly JointBlockParams[];
  readonly single_transformer_blocks: readonly SingleBlockParams[];
  readonly norm_out: ModulationParams;
  readonly proj_out: LinearParams;
}

export interface FluxOptions {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch', as in diffusers */
  readonly init?: 'torch' | 'zero';
}

/**
 * The transformer of Flux.1 (Black Forest Labs 2024) in the form of diffusers' `FluxTransformer2DModel`: same names of parameters, same
 * numbers. Blocks with a stream each for text and picture, then blocks with one for both; rotary positions; where `guidanceEmbeds`, a
 * guidance scale that the network was distilled for.
 *
 * `apply(params, x [N, inChannels / 4, H, W], time, { conditions })` gives [N, outChannels / 4, H, W]; H and W are even: squares of 2 x 2
 * positions are tokens, which diffusers makes outside of the network. `time` is a timestep in 0..1000. Its conditions:
 * - `text`: tokens [N, S, jointAttentionDim]. The released models were trained without a mask; one that is given is kept to.
 * - `pooled`: the text as a whole, [N, pooledProjectionDim]
 * - `guidance`: the scale, [N], where `guidanceEmbeds`
 *
 * Taps listen at `transformer_blocks.<i>` (the picture's tokens) and within it at `attn`, `attn.text`, `ff`, `attn.weights`, and at
 * `single_transformer_blocks.<i>` (all tokens, the text first) and its `attn`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const net = flux({ guidanceEmbeds: true });
 * [net.info.channels, net.info.conditions['guidance']]; // => [16, { kind: 'scalar' }]
 */
export function flux(config: Partial<FluxConfig>, options: FluxOptions = {}): Network<FluxParams> {
  const complete = completeFluxConfig(config);
  const { inChannels, attentionHeadDim: headSize, numAttentionHeads: heads, axesDimsRope: axes, guidanceEmbeds } = complete;
  const width = heads * headSize;
  const outputs = complete.outChannels ?? inChannels;
  const channels = inChannels / PACKED ** 2;
  const outChannels = outputs / PACKED ** 2;
  const condition = scoped(
    'time_text_embed',
    timeTextEmbedding({ width, pooled: complete.pooledProjectionDim, guidance: guidanceEmbeds ? 'embedded' : 'none' }),
  );
  const embedText = scoped('context_embedder', linear({ inputs: complete.jointAttentionDim, outputs: width }));
  const embed = scoped('x_embedder', linear({ inputs: inChannels, outputs: width }));
  const blocks = Array.from({ length: complete.numLayers }, (_, i) =>
    scoped(`transformer_blocks.${i}`, jointBlock({ width, heads, headSize, normalize: 'rms', drawnAs: 'FluxAttention' })),
  );
  const singles = Array.from({ length: complete.numSingleLayers }, (_, i) =>
    scoped(`single_transformer_blocks.${i}`, singleBlock({ width, heads, headSize })),
  );
  const normOut = scoped('norm_out', adaLayerNormContinuous({ channels: width }));
  const zero = { weightInit: constant(0), biasInit: constant(0) };
  const projOut = scoped('proj_out', linear({ inputs: width, outputs, ...(options.init === 'zero' && zero) }));
  const specs: ConditionSpecs = {
    text: { kind: 'tokens', size: complete.jointAttentionDim },
    pooled: { kind: 'vector', size: complete.pooledProjectionDim },
    ...(guidanceEmbeds && { guidance: { kind: 'scalar' } }),
  };

  return defineNetwork({
    info: {
      channels,
      outChannels,
      outputs: outChannels === 2 * channels ? ['prediction', 'variance'] : ['prediction'],
      axes: 'hw',
      size: null,
      multiple: PACKED,
      time: 'timestep',
      conditions: specs,
    },
    init: (generator: Generator): FluxParams => ({
      time_text_embed: condition.init(generator),
      context_embedder: embedText.init(generator),
      x_embedder: embed.init(generator),
      transformer_blocks: blocks.map((block) => block.init(generator)),
      single_transformer_blocks: singles.map((block) => block.init(generator)),
      norm_out: normOut.init(generator),
      proj_out: projOut.init(generator),
    }),
    apply(params: FluxParams, ...[x, time, { conditions = {}, taps } = {}]: NetworkArguments): Tensor {
      checkPicture(FLUX.where, x, { channels, patch: PACKED });
      const n = x.shape[0]!;
      checkConditions(FLUX.where, conditions, { specs, batch: n });
      const grid = [x.shape[2]! / PACKED, x.shape[3]! / PACKED] as const;
      const told = condition.apply(params.time_text_embed, {
        time: perItem(time, n, 'time'),
        pooled: conditions['pooled']!,
        guidance: conditions['guidance'],
      });
      const words = conditions['text']!.shape[1]!;
      const rotary = rotaryTable(coordinatesOf(words, grid), { axes });
      const mask = keyMask(conditions[maskOf('text')], grid[0] * grid[1]);
      const flow = { condition: told, rotary, mask };
      const start: Streams = {
        x: embed.apply(params.x_embedder, toPatches(x, PACKED)),
        text: embedText.apply(params.context_embedder, conditions['text']!),
      };
      const both = blocks.reduce((streams, block, i) => {
        const place = `transformer_blocks.${i}`;
        const next = block.apply(params.transformer_blocks[i]!, streams, { ...flow, taps: tapsWithin(taps, place) });
        return { ...next, x: tapped(taps, place, next.x) };
      }, start);
      const tokens = singles.reduce(
        (all, block, i) => {
          const place = `single_transformer_blocks.${i}`;
          return tapped(taps, place, block.apply(params.single_transformer_blocks[i]!, all, { ...flow, taps: tapsWithin(taps, place) }));
        },
        concat([both.text, both.x], 1),
      );
      const picture = slice(tokens, { 1: { start: words, stop: words + grid[0] * grid[1] } });
      return unpacked(projOut.apply(params.proj_out, normOut.apply(params.norm_out, picture, told)), grid);
    },
  });
}

/** {@link flux} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function fluxFromConfig(json: unknown, options: FluxOptions = {}): Network<FluxParams> {
  return flux(parseFluxConfig(json), options);
}

/** Where tokens lie: those of the text nowhere, those of the picture in their row and column. */
function coordinatesOf(words: number, [rows, columns]: readonly [number, number]): readonly (readonly number[])[] {
  return [
    ...Array.from({ length: words }, () => [0, 0, 0]),
    ...Array.from({ length: rows * columns }, (_, i) => [0, Math.floor(i / columns), i % columns]),
  ];
}

/** [N, rows columns, C 2 2] to [N, C, 2 rows, 2 columns]; within a token the channel is the first axis. */
function unpacked(tokens: Tensor, [rows, columns]: readonly [number, number]): Tensor {
  const [n, , features] = tokens.shape as readonly [number, number, number];
  const channels = features / PACKED ** 2;
  const squares = reshape(tokens, [n, rows, columns, channels, PACKED, PACKED]);
  return reshape(transpose(squares, [0, 3, 1, 4, 2, 5]), [n, channels, rows * PACKED, columns * PACKED]);
}
