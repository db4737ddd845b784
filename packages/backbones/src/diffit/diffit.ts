import { checkConditions, defineNetwork, type Conditions, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import {
  constant,
  conv,
  doubled,
  embedding,
  embeddingMlp,
  groupNorm,
  perItem,
  scoped,
  sinusoidalEmbedding,
  tapped,
  tapsWithin,
  type ConvParams,
  type EmbeddingMlpParams,
  type EmbeddingParams,
  type NormParams,
} from '@langevin/nn';
import { add, cast, concat, full, silu, type Generator, type Tensor } from '@langevin/tensor';
import { checkPicture } from '../patches/check-picture.ts';
import { diffitBlock, type DiffitBlockParams } from './block.ts';
import { completeDiffitConfig, DIFFIT, multipleOf, parseDiffitConfig, type DiffitConfig } from './config.ts';

/** Features of time before the network embeds them. */
const TIME_FEATURES = 256;

/** One stage on the way down; the last has nothing below. */
interface DownParams {
  readonly blocks: readonly DiffitBlockParams[];
  readonly down?: ConvParams;
}

/** One stage on the way up. */
interface UpParams {
  readonly up: ConvParams;
  /** Over what comes from below and what this stage left on the way down. */
  readonly join: ConvParams;
  readonly blocks: readonly DiffitBlockParams[];
}

export interface DiffitParams {
  readonly conv_in: ConvParams;
  readonly time_embed: EmbeddingMlpParams;
  readonly label_embed?: EmbeddingParams;
  readonly encoder: readonly DownParams[];
  /** From the lowest to the highest. */
  readonly decoder: readonly UpParams[];
  readonly norm_out: NormParams;
  readonly conv_out: ConvParams;
}

export interface DiffitOptions {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch' */
  readonly init?: 'torch' | 'zero';
}

/**
 * DiffiT of pictures: a U-shape of residual blocks whose attention itself depends on time, with biases of relative positions, within
 * windows. Hatamizadeh et al. 2023 (arXiv:2312.02139), sec. 3; names of parameters are ours, as the paper's code is not published.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions })` gives [N, outChannels, H, W]; sides are multiples of `info.multiple`.
 * `time` is a timestep in 0..1000. Its condition: `label`, where `numClasses` is above 0; it is added to the time.
 *
 * Taps listen at `encoder.<i>` and `decoder.<i>`, and within them at `blocks.<j>.attn` and `blocks.<j>.attn.weights` (of each window).
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const net = diffit({ blockOutChannels: [32, 64], windowSizes: [8, 8], sampleSize: 32, layersPerStage: 1 });
 * [net.info.multiple, net.info.channels]; // => [16, 3]
 */
export function diffit(config: Partial<DiffitConfig>, options: DiffitOptions = {}): Network<DiffitParams> {
  const complete = completeDiffitConfig(config);
  const {
    inChannels: channels,
    blockOutChannels: widths,
    windowSizes,
    timeEmbedDim,
    normNumGroups: groups,
    numClasses,
    noneLabel,
  } = complete;
  const outChannels = complete.outChannels ?? channels;
  const top = widths[0]!;
  const same = { kernel: 3, padding: 1 };
  const convIn = scoped('conv_in', conv({ inputs: channels, outputs: top, ...same }));
  const embedTime = scoped('time_embed', embeddingMlp({ inputs: TIME_FEATURES, outputs: timeEmbedDim }));
  const labels = numClasses > 0 ? scoped('label_embed', embedding({ count: numClasses, size: timeEmbedDim })) : undefined;
  const blocksOf = (stage: number, place: string): readonly ReturnType<typeof diffitBlock>[] =>
    Array.from({ length: complete.layersPerStage }, (_, j) =>
      scoped(
        `${place}.blocks.${j}`,
        diffitBlock({
          ...{ width: widths[stage]!, heads: widths[stage]! / complete.attentionHeadDim, time: timeEmbedDim },
          ...{ window: windowSizes[stage]!, hidden: Math.trunc(widths[stage]! * complete.mlpRatio), groups },
        }),
      ),
    );
  const encoder = widths.map((width, i) => {
    const next = widths[i + 1];
    const down = next === undefined ? undefined : conv({ inputs: width, outputs: next, ...same, stride: 2 });
    return { blocks: blocksOf(i, `encoder.${i}`), down: down && scoped(`encoder.${i}.down`, down) };
  });
  const decoder = widths
    .slice(0, -1)
    .map((width, i) => ({
      stage: i,
      up: scoped(`decoder.${widths.length - 2 - i}.up`, conv({ inputs: widths[i + 1]!, outputs: width, ...same })),
      join: scoped(`decoder.${widths.length - 2 - i}.join`, conv({ inputs: 2 * width, outputs: width, kernel: 1 })),
      blocks: blocksOf(i, `decoder.${widths.length - 2 - i}`),
    }))
    .reverse();
  const normOut = scoped('norm_out', groupNorm({ channels: top, groups }));
  const zero = options.init === 'zero' && { weightInit: constant(0), biasInit: constant(0) };
  const convOut = scoped('conv_out', conv({ inputs: top, outputs: outChannels, ...same, ...zero }));
  const specs: ConditionSpecs = labels ? { label: { kind: 'label', count: numClasses, none: noneLabel } } : {};
  const multiple = multipleOf(complete);

  return defineNetwork({
    info: {
      channels,
      outChannels,
      outputs: outChannels === 2 * channels ? ['prediction', 'variance'] : ['prediction'],
      axes: 'hw',
      size: [complete.sampleSize, complete.sampleSize],
      multiple,
      time: 'timestep',
      conditions: specs,
    },
    init: (generator: Generator): DiffitParams => ({
      conv_in: convIn.init(generator),
      time_embed: embedTime.init(generator),
      ...(labels && { label_embed: labels.init(generator) }),
      encoder: encoder.map(({ blocks, down }) => ({
        blocks: blocks.map((block) => block.init(generator)),
        ...(down && { down: down.init(generator) }),
      })),
      decoder: decoder.map(({ up, join, blocks }) => ({
        up: up.init(generator),
        join: join.init(generator),
        blocks: blocks.map((block) => block.init(generator)),
      })),
      norm_out: normOut.init(generator),
      conv_out: convOut.init(generator),
    }),
    apply(params: DiffitParams, ...[x, time, { conditions = {}, taps } = {}]: NetworkArguments): Tensor {
      checkPicture(DIFFIT.where, x, { channels, patch: multiple });
      const n = x.shape[0]!;
      const none = labels && noneLabel !== null && conditions['label'] === undefined ? { label: full([n], noneLabel, 'int32') } : {};
      const told: Conditions = { ...none, ...conditions };
      checkConditions(DIFFIT.where, told, { specs, batch: n });
      const wave = sinusoidalEmbedding(perItem(time, n, 'time'), { size: TIME_FEATURES, order: 'cos-sin' });
      const timed = embedTime.apply(params.time_embed, cast(wave, x.dtype));
      const known = labels ? add(timed, labels.apply(params.label_embed!, perItem(told['label']!, n, 'conditions.label'))) : timed;
      const through = (
        blocks: readonly ReturnType<typeof diffitBlock>[],
        weights: readonly DiffitBlockParams[],
        { h, place }: { readonly h: Tensor; readonly place: string },
      ): Tensor =>
        tapped(
          taps,
          place,
          blocks.reduce(
            (all, block, j) => block.apply(weights[j]!, all, { time: known, taps: tapsWithin(taps, `${place}.blocks.${j}`) }),
            h,
          ),
        );
      let h = convIn.apply(params.conv_in, x);
      const left = encoder.map(({ blocks, down }, i) => {
        const own = params.encoder[i]!;
        const seen = through(blocks, own.blocks, { h, place: `encoder.${i}` });
        h = down === undefined ? seen : down.apply(own.down!, seen);
        return seen;
      });
      decoder.forEach(({ stage, up, join, blocks }, i) => {
        const own = params.decoder[i]!;
        const raised = up.apply(own.up, doubled(h));
        h = through(blocks, own.blocks, { h: join.apply(own.join, concat([raised, left[stage]!], 1)), place: `decoder.${i}` });
      });
      return convOut.apply(params.conv_out, silu(normOut.apply(params.norm_out, h)));
    },
  });
}

/** {@link diffit} from a parsed configuration. @throws UserError naming the entry that is wrong */
export function diffitFromConfig(json: unknown, options: DiffitOptions = {}): Network<DiffitParams> {
  return diffit(parseDiffitConfig(json), options);
}
