import { concat, full, gather, InternalError, mul, ones, scalar, transpose, zeros, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  forceFilterNorms,
  mpConcat,
  mpConv,
  mpFourierFeatures,
  mpLinear,
  mpSilu,
  mpSum,
  perItem,
  scoped,
  type Module,
  type MpFourierParams,
  type MpLayerParams,
} from '@langevin/nn';
import { checkConditionNames, defineNetwork, tapped, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import { checkPicture } from '../patches/check-picture.ts';
import { edm2Block, type Edm2Block, type Edm2BlockConfig, type Edm2BlockParams } from './block.ts';
import { completeEdm2Config, EDM2, levelSides, parseEdm2Config, type Edm2Config } from './config.ts';

/** Names are ours. */
export interface Edm2Params {
  readonly noise_features: MpFourierParams;
  readonly noise_emb: MpLayerParams;
  /** Filters [E, classes]. */
  readonly label_emb?: MpLayerParams;
  readonly conv_in: MpLayerParams;
  readonly down_blocks: readonly Edm2BlockParams[];
  readonly up_blocks: readonly Edm2BlockParams[];
  readonly conv_out: MpLayerParams;
  /** []: 0 at first, so that the network gives 0. */
  readonly out_gain: Tensor;
}

/**
 * EDM2's magnitude-preserving U-Net, configuration G of Karras et al. 2024 (arXiv:2312.02696): no norms of groups, no biases, filters of
 * fixed length, sums and joins that keep the magnitude of features. Written from the paper; names of parameters are ours.
 *
 * `apply(params, x [N, inChannels, H, W], cNoise, { conditions?, mode? })` gives [N, inChannels, H, W], 0 everywhere at first. H and W are
 * multiples of 2^(levels - 1). Classes are the condition `label`; `numClasses` stands for none.
 *
 * Train it with `forceFilterNorms` as the learner's `project`, and a rate that falls as the inverse root (`inverseSqrtSchedule` under
 * `withWarmUp`).
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes do not fit
 * @example
 * const net = edm2({ ...edm2Presets['EDM2-XS'], numClasses: 1000 });
 * net.info.time; // => 'sigma'
 */
export function edm2(config: Partial<Edm2Config>): Network<Edm2Params> {
  const complete = completeEdm2Config(config);
  const { inChannels, modelChannels, channelMultipliers, numClasses, labelShare, skipShare, sampleSize } = complete;
  const embedding = modelChannels * Math.max(...channelMultipliers);
  const noise = scoped('noise_features', mpFourierFeatures({ count: modelChannels }));
  const noiseEmb = scoped('noise_emb', mpLinear({ inputs: modelChannels, outputs: embedding }));
  const labelEmb = numClasses === null ? undefined : scoped('label_emb', labels(numClasses, embedding));
  // A channel of ones stands in for biases.
  const convIn = scoped('conv_in', mpConv({ inputs: inChannels + 1, outputs: modelChannels, kernel: 3 }));
  const plan = blocksOf(complete, embedding);
  const down = plan.down.map((block, i) => scoped(`down_blocks.${i}`, edm2Block(block)));
  const up = plan.up.map(({ block }, i) => scoped(`up_blocks.${i}`, edm2Block(block)));
  const convOut = scoped('conv_out', mpConv({ inputs: modelChannels, outputs: inChannels, kernel: 3 }));
  const multiple = 2 ** (channelMultipliers.length - 1);

  const specs: ConditionSpecs = numClasses === null ? {} : { label: { kind: 'label', count: numClasses + 1, none: numClasses } };
  const initAll = (blocks: readonly Edm2Block[], generator: Generator) => blocks.map((block) => block.init(generator));
  return defineNetwork({
    info: {
      channels: inChannels,
      outChannels: inChannels,
      outputs: ['prediction'],
      axes: 'hw',
      size: [sampleSize, sampleSize],
      multiple,
      time: 'sigma',
      conditions: specs,
    },
    init: (generator: Generator): Edm2Params => ({
      noise_features: noise.init(generator),
      noise_emb: noiseEmb.init(generator),
      ...(labelEmb && { label_emb: labelEmb.init(generator) }),
      conv_in: convIn.init(generator),
      down_blocks: initAll(down, generator),
      up_blocks: initAll(up, generator),
      conv_out: convOut.init(generator),
      out_gain: scalar(0),
    }),
    apply(params: Edm2Params, ...[x, time, { conditions: given = {}, mode, taps } = {}]: NetworkArguments) {
      checkPicture(EDM2.where, x, { channels: inChannels, patch: multiple });
      checkConditionNames(EDM2.where, given, specs);
      const [n, , height, width] = x.shape as readonly [number, number, number, number];
      let embedded = noiseEmb.apply(params.noise_emb, noise.apply(params.noise_features, perItem(time, n, 'time')));
      if (labelEmb) {
        const label = given['label'] ? perItem(given['label'], n, 'conditions.label') : full([n], numClasses!, 'int32');
        embedded = mpSum(embedded, labelEmb.apply(params.label_emb!, label), labelShare);
      }
      embedded = mpSilu(embedded);
      let h = convIn.apply(params.conv_in, concat([x, ones([n, 1, height, width])], 1));
      const skips = [h];
      down.forEach((block, i) => {
        h = tapped(taps, `down_blocks.${i}`, block.apply(params.down_blocks[i]!, { x: h, embedding: embedded, mode }));
        skips.push(h);
      });
      up.forEach((block, i) => {
        const joined = plan.up[i]!.takesSkip ? mpConcat(h, taken(skips), skipShare) : h;
        h = tapped(taps, `up_blocks.${i}`, block.apply(params.up_blocks[i]!, { x: joined, embedding: embedded, mode }));
      });
      return mul(convOut.apply(params.conv_out, h), params.out_gain);
    },
  });
}

/** {@link edm2} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function edm2FromConfig(json: unknown): Network<Edm2Params> {
  return edm2(parseEdm2Config(json));
}

function taken(skips: Tensor[]): Tensor {
  const last = skips.pop();
  if (last === undefined) throw new InternalError('[backbones/edm2] the way up wants more skips than the way down gave.');
  return last;
}

/**
 * Labels [N], as unit vectors times sqrt(classes), through a linear layer: columns of its filters. The vector of zeros stands for none.
 */
function labels(classes: number, embedding: number): Module<MpLayerParams, readonly [label: Tensor], Tensor> {
  const { init } = mpLinear({ inputs: classes, outputs: embedding });
  return defineModule({
    init,
    apply({ filters }: MpLayerParams, label: Tensor) {
      const columns = transpose(forceFilterNorms(filters, 'filters'), [1, 0]);
      return gather(concat([columns, zeros([1, embedding])], 0), label);
    },
  });
}

interface Plan {
  readonly down: readonly Edm2BlockConfig[];
  readonly up: readonly { readonly block: Edm2BlockConfig; readonly takesSkip: boolean }[];
}

/** Blocks of both ways in their order: a level begins with one that changes the size, the deepest on the way up with two that do not. */
function blocksOf(network: Edm2Config, embedding: number): Plan {
  const { modelChannels, channelMultipliers, layersPerBlock, attentionSizes } = network;
  const sides = levelSides(network);
  const widths = channelMultipliers.map((multiplier) => modelChannels * multiplier);
  const common = { embedding, network };
  const attends = (level: number): boolean => attentionSizes.includes(sides[level]!);
  const down: Edm2BlockConfig[] = [];
  const skips = [modelChannels];
  let channels = modelChannels;
  const goDown = (outputs: number, change: Pick<Edm2BlockConfig, 'resample' | 'attends'>): void => {
    down.push({ ...common, ...change, way: 'down', inputs: channels, outputs });
    skips.push(outputs);
    channels = outputs;
  };
  widths.forEach((width, level) => {
    if (level > 0) goDown(channels, { resample: 'half', attends: false });
    for (let i = 0; i < layersPerBlock; i += 1) goDown(width, { resample: 'none', attends: attends(level) });
  });

  const up: { readonly block: Edm2BlockConfig; readonly takesSkip: boolean }[] = [];
  const goUp = (outputs: number, change: Pick<Edm2BlockConfig, 'resample' | 'attends'>, skip = 0): void => {
    up.push({ block: { ...common, ...change, way: 'up', inputs: channels + skip, outputs }, takesSkip: skip > 0 });
    channels = outputs;
  };
  for (const [level, width] of [...widths.entries()].reverse()) {
    if (level === widths.length - 1) {
      goUp(width, { resample: 'none', attends: true });
      goUp(width, { resample: 'none', attends: false });
    } else goUp(channels, { resample: 'double', attends: false });
    for (let i = 0; i <= layersPerBlock; i += 1) goUp(width, { resample: 'none', attends: attends(level) }, skips.pop());
  }
  return { down, up };
}
