import { checkConditions, defineNetwork, maskOf, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import {
  adaLayerNormContinuous,
  constant,
  embeddingMlp,
  linear,
  modulation,
  perItem,
  rotaryTable,
  scoped,
  sinusoidalEmbedding,
  tapped,
  tapsWithin,
  type EmbeddingMlpParams,
  type Layer,
  type LinearParams,
  type ModulationParams,
} from '@langevin/nn';
import { add, cast, concat, mul, slice, type Generator, type Tensor } from '@langevin/tensor';
import type { Streams } from '../joint/joint-block.ts';
import { checkPicture } from '../patches/check-picture.ts';
import { keyMask } from '../patches/key-mask.ts';
import { fromPatches, toPatches } from '../patches/patches.ts';
import { completeFlux2Config, FLUX2, parseFlux2Config, type Flux2Config } from './config.ts';
import { doubleBlock, type DoubleBlockParams, type Six } from './double-block.ts';
import { parallelBlock, type ParallelBlockParams } from './single-block.ts';

/** Guidance scales are embedded as times are, times this. */
const GUIDANCE_UNIT = 1000;

/** Names of diffusers. */
export interface Flux2Params {
  readonly time_guidance_embed: { readonly timestep_embedder: EmbeddingMlpParams; readonly guidance_embedder?: EmbeddingMlpParams };
  readonly double_stream_modulation_img: ModulationParams;
  readonly double_stream_modulation_txt: ModulationParams;
  readonly single_stream_modulation: ModulationParams;
  readonly x_embedder: LinearParams;
  readonly context_embedder: LinearParams;
  readonly transformer_blocks: readonly DoubleBlockParams[];
  readonly single_transformer_blocks: readonly ParallelBlockParams[];
  readonly norm_out: ModulationParams;
  readonly proj_out: LinearParams;
}

export interface Flux2Options {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch', as in diffusers */
  readonly init?: 'torch' | 'zero';
}

/**
 * The transformer of Flux.2 and Flux.2 klein (Black Forest Labs 2025) in the form of diffusers' `Flux2Transformer2DModel`: same names of
 * parameters, same numbers. Streams for text and picture, then one for both; all blocks of a kind share what the time tells them; gated
 * feed-forwards, no biases; words turn with their place in the text, pixels with row and column.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions })` gives [N, outChannels, H, W]; each position is a token: the autoencoder's
 * squares of 2 x 2 positions are channels, and normalised, before. `time` is a timestep in 0..1000. Its conditions:
 * - `text`: tokens [N, S, jointAttentionDim]. The released models were trained without a mask; one that is given is kept to.
 * - `guidance`: the scale, [N], where `guidanceEmbeds` (klein has none)
 *
 * Taps listen at `transformer_blocks.<i>` (the picture's tokens) and within it at `attn`, `attn.text`, `ff`, `attn.weights`, and at
 * `single_transformer_blocks.<i>` (all tokens, the text first) and its `attn`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const klein = flux2({ numLayers: 5, numSingleLayers: 20, numAttentionHeads: 24, jointAttentionDim: 7680, guidanceEmbeds: false });
 * [klein.info.channels, Object.keys(klein.info.conditions)]; // => [128, ['text']]
 */
export function flux2(config: Partial<Flux2Config>, options: Flux2Options = {}): Network<Flux2Params> {
  const complete = completeFlux2Config(config);
  const { inChannels: channels, attentionHeadDim: headSize, numAttentionHeads: heads, eps: epsilon, guidanceEmbeds } = complete;
  const width = heads * headSize;
  const outChannels = complete.outChannels ?? channels;
  const features = complete.timestepGuidanceChannels;
  const embedder = (name: string): ReturnType<typeof embeddingMlp> =>
    scoped(`time_guidance_embed.${name}`, embeddingMlp({ inputs: features, outputs: width, bias: 'none' }));
  const embedTime = embedder('timestep_embedder');
  const embedGuidance = guidanceEmbeds ? embedder('guidance_embedder') : undefined;
  const vectors = (name: string, parts: number): ReturnType<typeof modulation> =>
    scoped(name, modulation({ channels: width, parts, bias: 'none' }));
  const tellPicture = vectors('double_stream_modulation_img', 6);
  const tellText = vectors('double_stream_modulation_txt', 6);
  const tellBoth = vectors('single_stream_modulation', 3);
  const into = (name: string, inputs: number): Layer<LinearParams> => scoped(name, linear({ inputs, outputs: width, bias: 'none' }));
  const embed = into('x_embedder', channels);
  const embedText = into('context_embedder', complete.jointAttentionDim);
  const sizes = { width, heads, headSize, hidden: Math.trunc(width * complete.mlpRatio), epsilon };
  const blocks = Array.from({ length: complete.numLayers }, (_, i) => scoped(`transformer_blocks.${i}`, doubleBlock(sizes)));
  const singles = Array.from({ length: complete.numSingleLayers }, (_, i) =>
    scoped(`single_transformer_blocks.${i}`, parallelBlock(sizes)),
  );
  const normOut = scoped('norm_out', adaLayerNormContinuous({ channels: width, epsilon, bias: 'none' }));
  const zero = options.init === 'zero' ? { weightInit: constant(0) } : {};
  const projOut = scoped('proj_out', linear({ inputs: width, outputs: outChannels, bias: 'none', ...zero }));
  const specs: ConditionSpecs = {
    text: { kind: 'tokens', size: complete.jointAttentionDim },
    ...(guidanceEmbeds && { guidance: { kind: 'scalar' } }),
  };
  const wave = (values: Tensor): Tensor => sinusoidalEmbedding(values, { size: features, order: 'cos-sin' });

  return defineNetwork({
    info: {
      channels,
      outChannels,
      outputs: outChannels === 2 * channels ? ['prediction', 'variance'] : ['prediction'],
      axes: 'hw',
      size: null,
      multiple: 1,
      time: 'timestep',
      conditions: specs,
    },
    init: (generator: Generator): Flux2Params => ({
      time_guidance_embed: {
        timestep_embedder: embedTime.init(generator),
        ...(embedGuidance && { guidance_embedder: embedGuidance.init(generator) }),
      },
      double_stream_modulation_img: tellPicture.init(generator),
      double_stream_modulation_txt: tellText.init(generator),
      single_stream_modulation: tellBoth.init(generator),
      x_embedder: embed.init(generator),
      context_embedder: embedText.init(generator),
      transformer_blocks: blocks.map((block) => block.init(generator)),
      single_transformer_blocks: singles.map((block) => block.init(generator)),
      norm_out: normOut.init(generator),
      proj_out: projOut.init(generator),
    }),
    apply(params: Flux2Params, ...[x, time, { conditions = {}, taps } = {}]: NetworkArguments): Tensor {
      checkPicture(FLUX2.where, x, { channels, patch: 1 });
      const n = x.shape[0]!;
      checkConditions(FLUX2.where, conditions, { specs, batch: n });
      const grid = [x.shape[2]!, x.shape[3]!] as const;
      const text = conditions['text']!;
      const words = text.shape[1]!;
      const { timestep_embedder: timeParams, guidance_embedder: guidanceParams } = params.time_guidance_embed;
      const timed = embedTime.apply(timeParams, cast(wave(perItem(time, n, 'time')), text.dtype));
      const guided = (): Tensor => cast(wave(mul(conditions['guidance']!, GUIDANCE_UNIT)), text.dtype);
      const told = embedGuidance === undefined ? timed : add(timed, embedGuidance.apply(guidanceParams!, guided()));
      const rotary = rotaryTable(coordinatesOf(words, grid), { axes: complete.axesDimsRope, theta: complete.ropeTheta });
      const shared = { rotary, mask: keyMask(conditions[maskOf('text')], grid[0] * grid[1]) };
      const flow = {
        ...shared,
        picture: tellPicture.apply(params.double_stream_modulation_img, told) as unknown as Six,
        text: tellText.apply(params.double_stream_modulation_txt, told) as unknown as Six,
      };
      const start: Streams = { x: embed.apply(params.x_embedder, toPatches(x, 1)), text: embedText.apply(params.context_embedder, text) };
      const both = blocks.reduce((streams, block, i) => {
        const place = `transformer_blocks.${i}`;
        const next = block.apply(params.transformer_blocks[i]!, streams, { ...flow, taps: tapsWithin(taps, place) });
        return { ...next, x: tapped(taps, place, next.x) };
      }, start);
      const joined = {
        ...shared,
        told: tellBoth.apply(params.single_stream_modulation, told) as unknown as readonly [Tensor, Tensor, Tensor],
      };
      const tokens = singles.reduce(
        (all, block, i) => {
          const place = `single_transformer_blocks.${i}`;
          return tapped(taps, place, block.apply(params.single_transformer_blocks[i]!, all, { ...joined, taps: tapsWithin(taps, place) }));
        },
        concat([both.text, both.x], 1),
      );
      const picture = slice(tokens, { 1: { start: words, stop: words + grid[0] * grid[1] } });
      return fromPatches(projOut.apply(params.proj_out, normOut.apply(params.norm_out, picture, told)), grid, 1);
    },
  });
}

/** {@link flux2} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function flux2FromConfig(json: unknown, options: Flux2Options = {}): Network<Flux2Params> {
  return flux2(parseFlux2Config(json), options);
}

/** Where tokens lie, as (picture, row, column, word): words by their place in the text, positions by row and column. */
function coordinatesOf(words: number, [rows, columns]: readonly [number, number]): readonly (readonly number[])[] {
  return [
    ...Array.from({ length: words }, (_, word) => [0, 0, 0, word]),
    ...Array.from({ length: rows * columns }, (_, i) => [0, Math.floor(i / columns), i % columns, 0]),
  ];
}
