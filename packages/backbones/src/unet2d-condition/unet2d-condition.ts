import { mul, sub, UserError, type Generator, type Tensor } from '@langevin/tensor';
import {
  activations,
  conv,
  flowWithin,
  groupNorm,
  perItem,
  scoped,
  tapped,
  type Additions,
  type ConvParams,
  type NormParams,
} from '@langevin/nn';
import { checkConditions, defineNetwork, maskOf, type Network, type NetworkArguments } from '@langevin/core';
import { addFeatures } from '../unet/add-features.ts';
import type { DownBlockParams, UpBlockParams } from '../unet/blocks.ts';
import type { Flow } from '../unet/flow.ts';
import type { StagesParams } from '../unet/stages.ts';
import { downBlocks, middleBlock, upBlocks, type BlockAttentionParams } from './body.ts';
import { completeUnet2dConditionConfig, parseUnet2dConditionConfig, UNET2D_CONDITION, type Unet2dConditionConfig } from './config.ts';
import { activationOf, embeddings, type EmbeddingsParams } from './embeddings.ts';
import { adapterName, controlName, residualSpecs } from './residuals.ts';
import { addedMask } from './text-mask.ts';

const { where: WHERE } = UNET2D_CONDITION;

/** Names of diffusers. */
export interface Unet2dConditionParams extends EmbeddingsParams {
  readonly conv_in: ConvParams;
  readonly down_blocks: readonly DownBlockParams<BlockAttentionParams>[];
  readonly mid_block?: StagesParams<BlockAttentionParams>;
  readonly up_blocks: readonly UpBlockParams<BlockAttentionParams>[];
  readonly conv_norm_out: NormParams;
  readonly conv_out: ConvParams;
}

/** The network, and a way in for what adds to its attentions. */
export interface Unet2dCondition extends Network<Unet2dConditionParams> {
  readonly config: Unet2dConditionConfig;
  /** `apply`, with functions that add to what attentions gather: see `Additions` of nn. */
  readonly applyWith: (params: Unet2dConditionParams, additions: Additions | undefined, inputs: NetworkArguments) => Tensor;
}

/**
 * The U-Net of Rombach et al. 2022 (arXiv:2112.10752), which attends to a text, in the form of diffusers' `UNet2DConditionModel`: same
 * names of parameters, same numbers. Stable Diffusion 1 and 2 and SDXL are such networks, with in- and outpainting, upscaling and LCM's
 * variants.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions, mode?, taps? })` gives [N, outChannels, H, W], for any H and W unless a block
 * resamples by a residual block. Conditions, of which `info.conditions` lists those of a configuration:
 * - `text` [N, L, D] with `text.mask`; `label`: a class, a vector, or the noise level of an upscaler
 * - `pooled` [N, P] and `time_ids` [N, 6]: the pooled text of SDXL, and sizes and crops (its refiner takes 5 numbers)
 * - `guidance` [N]: the guidance scale that an LCM stands for; 1 is none. Left out, the network is as before its distillation
 * - `control.0` and so on, `adapter.0` and so on: what a ControlNet or a T2I-Adapter gives
 *
 * Taps listen at `down_blocks.0` and so on, and within at `down_blocks.0.attentions.0.transformer_blocks.0.attn2`, `.attn2.weights` [N,
 * heads, H W, L] and `.ff`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit; UnsupportedError for blocks
 *   that are not built here
 * @example
 * const net = unet2dCondition({
 *   blockOutChannels: [32, 64],
 *   downBlockTypes: ['CrossAttnDownBlock2D', 'DownBlock2D'],
 *   upBlockTypes: ['UpBlock2D', 'CrossAttnUpBlock2D'],
 *   crossAttentionDim: 16,
 * });
 * const params = net.init(torchGenerator(0));
 * net.apply(params, zeros([1, 4, 8, 8]), scalar(500), { conditions: { text: zeros([1, 77, 16]) } }).shape; // => [1, 4, 8, 8]
 */
export function unet2dCondition(given: Partial<Unet2dConditionConfig>): Unet2dCondition {
  const config = completeUnet2dConditionConfig(given);
  const { inChannels, outChannels, blockOutChannels: sizes, sampleSize, convInKernel, convOutKernel } = config;
  const first = sizes[0]!;
  const convIn = scoped('conv_in', conv({ inputs: inChannels, outputs: first, kernel: convInKernel, padding: (convInKernel - 1) / 2 }));
  const embedded = embeddings(config);
  const down = downBlocks(config, embedded.size);
  const middle = middleBlock(config, embedded.size);
  const up = upBlocks(config, embedded.size);
  const normOut = scoped('conv_norm_out', groupNorm({ channels: first, groups: config.normNumGroups, epsilon: config.normEps }));
  const convOut = scoped(
    'conv_out',
    conv({ inputs: first, outputs: outChannels, kernel: convOutKernel, padding: (convOutKernel - 1) / 2 }),
  );
  const act = activations[activationOf(config.actFn)];
  const info: Network<Unet2dConditionParams>['info'] = {
    channels: inChannels,
    outChannels,
    outputs: outChannels === 2 * inChannels ? ['prediction', 'variance'] : ['prediction'],
    axes: 'hw',
    size: sampleSize === null ? null : typeof sampleSize === 'number' ? [sampleSize, sampleSize] : [sampleSize[0]!, sampleSize[1]!],
    multiple: multipleOf(config),
    time: 'timestep',
    conditions: { ...embedded.conditions, ...residualSpecs(config) },
  };

  const applyWith: Unet2dCondition['applyWith'] = (params, additions, [x, time, { conditions = {}, mode, taps } = {}]) => {
    checkSample(x, config);
    checkConditions(WHERE, conditions, { specs: info.conditions, batch: x.shape[0]! });
    const { embedding, context } = embedded.apply(params, perItem(time, x.shape[0]!, 'time'), conditions);
    const textMask = conditions[maskOf('text')];
    const flow = { embedding, context, mode, taps, additions, contextMask: textMask && addedMask(textMask) };
    const at = (part: string, features: Tensor): Flow => flowWithin({ ...flow, x: features }, part);

    let h = convIn.apply(params.conv_in, config.centerInputSample ? sub(mul(x, 2), 1) : x);
    const skips = [h];
    down.forEach((block, i) => {
      const residualName = adapterName(i);
      const result = block.apply(params.down_blocks[i]!, {
        ...at(`down_blocks.${i}`, h),
        residual: conditions[residualName],
        residualName,
      });
      skips.push(...result.skips);
      h = tapped(taps, `down_blocks.${i}`, result.x);
    });
    const steered = (features: Tensor, name: string): Tensor => addFeatures(features, conditions[name], name);
    const steeredSkips = skips.map((skip, i) => steered(skip, controlName(i)));
    if (middle) h = tapped(taps, 'mid_block', middle.apply(params.mid_block!, at('mid_block', h)));
    h = steered(steered(h, adapterName('middle')), controlName('middle'));
    up.forEach((block, i) => {
      const taken = steeredSkips.splice(-block.skipCount);
      const size = steeredSkips.at(-1)?.shape.slice(2);
      h = tapped(taps, `up_blocks.${i}`, block.apply(params.up_blocks[i]!, { ...at(`up_blocks.${i}`, h), size }, taken));
    });
    return convOut.apply(params.conv_out, act(normOut.apply(params.conv_norm_out, h)));
  };

  const network = defineNetwork<Unet2dConditionParams>({
    info,
    init(generator: Generator): Unet2dConditionParams {
      return {
        conv_in: convIn.init(generator),
        ...embedded.init(generator),
        down_blocks: down.map((block) => block.init(generator)),
        ...(middle && { mid_block: middle.init(generator) }),
        up_blocks: up.map((block) => block.init(generator)),
        conv_norm_out: normOut.init(generator),
        conv_out: convOut.init(generator),
      };
    },
    apply: (params, ...inputs) => applyWith(params, undefined, inputs),
  });
  return Object.freeze({ ...network, config, applyWith });
}

/**
 * {@link unet2dCondition} from a parsed `config.json` of diffusers. @throws UserError or UnsupportedError naming the entry that is wrong
 */
export function unet2dConditionFromConfig(json: unknown): Unet2dCondition {
  return unet2dCondition(parseUnet2dConditionConfig(json));
}

/** Convolutions halve any side; a residual block that resamples wants an even one. */
function multipleOf({ downBlockTypes, upBlockTypes, blockOutChannels }: Unet2dConditionConfig): number {
  const resampled = [...downBlockTypes, ...upBlockTypes].some((type) => /^(?:Resnet|Simple)/u.test(type));
  return resampled ? 2 ** (blockOutChannels.length - 1) : 1;
}

function checkSample(x: Tensor, config: Unet2dConditionConfig): void {
  const shape = `x=[${x.shape.join(', ')}]`;
  const multiple = multipleOf(config);
  if (x.rank !== 4 || x.shape[1] !== config.inChannels)
    throw new UserError(`[${WHERE}] sample does not fit: ${shape}. Give [N, ${config.inChannels}, H, W].`);
  if (x.shape.includes(0) || x.shape.slice(2).some((n) => n % multiple !== 0)) {
    throw new UserError(
      `[${WHERE}] image sides do not fit: ${shape}, levels=${config.blockOutChannels.length}. Give at least one picture, whose sides are `
        + `multiples of ${multiple}.`,
    );
  }
}
