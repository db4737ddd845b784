import { add, flip, mean, mul, reshape, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { conv, defineModule, flowWithin, perItem, scoped, type ConvParams } from '@langevin/nn';
import { checkConditions, maskOf, type Conditions, type ConditionSpecs } from '@langevin/core';
import type { DownBlockParams } from '../../unet/blocks.ts';
import type { Flow } from '../../unet/flow.ts';
import type { StagesParams } from '../../unet/stages.ts';
import { downBlocks, middleBlock, skipForms, type BlockAttentionParams } from '../../unet2d-condition/body.ts';
import { embeddings, type EmbeddingsParams } from '../../unet2d-condition/embeddings.ts';
import { controlName } from '../../unet2d-condition/residuals.ts';
import { addedMask } from '../../unet2d-condition/text-mask.ts';
import type { Steering, SteeringInputs } from '../define-steering.ts';
import { completeControlNetConfig, CONTROLNET, parseControlNetConfig, unetOf, type ControlNetConfig } from './config.ts';
import { hintEmbedding, ZERO, type HintEmbeddingParams } from './hint-embedding.ts';

const { where: WHERE } = CONTROLNET;

/** Names of diffusers. */
export interface ControlNetParams extends EmbeddingsParams {
  readonly conv_in: ConvParams;
  readonly controlnet_cond_embedding: HintEmbeddingParams;
  readonly down_blocks: readonly DownBlockParams<BlockAttentionParams>[];
  readonly controlnet_down_blocks: readonly ConvParams[];
  readonly controlnet_mid_block: ConvParams;
  readonly mid_block?: StagesParams<BlockAttentionParams>;
}

/**
 * A second way down beside that of a U-Net, which sees a picture too and whose features are added to those of the U-Net: Zhang et al. 2023
 * (arXiv:2302.05543), in the form of diffusers' `ControlNetModel`. Fresh, it adds nothing.
 *
 * `apply(params, { hint, x, time, conditions, scale?, emphasis? })` gives `control.0` and so on and `control.middle`, conditions of the
 * U-Net.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const net = controlNet({
 *   blockOutChannels: [32, 64],
 *   downBlockTypes: ['CrossAttnDownBlock2D', 'DownBlock2D'],
 *   crossAttentionDim: 16,
 *   layersPerBlock: 1,
 * });
 * const given = net.apply(net.init(torchGenerator(0)), {
 *   hint: zeros([1, 3, 64, 64]), x: zeros([1, 4, 8, 8]), time: scalar(500), conditions: { text: zeros([1, 77, 16]) },
 * });
 * given['control.0']!.shape; // => [1, 32, 8, 8]
 */
export function controlNet(given: Partial<ControlNetConfig>): Steering<ControlNetParams> {
  const config = completeControlNetConfig(given);
  const unet = unetOf(config);
  const { inChannels, conditioningChannels: channels, conditioningEmbeddingOutChannels: sizes } = config;
  const first = config.blockOutChannels[0]!;
  const pixels = 2 ** (sizes.length - 1);
  const forms = skipForms(unet);
  const bottom = forms.at(-1)!;

  const convIn = scoped('conv_in', conv({ inputs: inChannels, outputs: first, kernel: 3, padding: 1 }));
  const embedded = embeddings(unet);
  const embedHint = scoped('controlnet_cond_embedding', hintEmbedding({ channels, sizes, outputs: first }));
  const down = downBlocks(unet, embedded.size);
  const middle = middleBlock(unet, embedded.size);
  const zeroConv = (name: string, size: number) => scoped(name, conv({ inputs: size, outputs: size, kernel: 1, ...ZERO }));
  const zeroDown = forms.map((form, i) => zeroConv(`controlnet_down_blocks.${i}`, form.channels));
  const zeroMiddle = zeroConv('controlnet_mid_block', bottom.channels);
  const gives = Object.fromEntries(
    [...forms.map((form, i) => [controlName(i), form] as const), [controlName('middle'), bottom] as const].map(([name, form]) => [
      name,
      { kind: 'features', ...form } as const,
    ]),
  ) satisfies ConditionSpecs;

  return Object.freeze({
    ...defineModule({
      init(generator: Generator): ControlNetParams {
        return {
          conv_in: convIn.init(generator),
          ...embedded.init(generator),
          controlnet_cond_embedding: embedHint.init(generator),
          down_blocks: down.map((block) => block.init(generator)),
          controlnet_down_blocks: zeroDown.map((layer) => layer.init(generator)),
          controlnet_mid_block: zeroMiddle.init(generator),
          ...(middle && { mid_block: middle.init(generator) }),
        };
      },
      apply(params: ControlNetParams, inputs: SteeringInputs): Conditions {
        const { hint, x, time, mode, scale, emphasis = 'even' } = inputs;
        if (x === undefined || time === undefined)
          throw new UserError(
            `[${WHERE}] sample and time are missing: x=${shapeText(x)}, time=${shapeText(time)}. Give both, at every step.`,
          );
        checkInputs({ x, hint }, { inChannels, channels, pixels });
        const batch = x.shape[0]!;
        const conditions = only(inputs.conditions ?? {}, embedded.conditions);
        checkConditions(WHERE, conditions, { specs: embedded.conditions, batch });
        const { embedding, context } = embedded.apply(params, perItem(time, batch, 'time'), conditions);
        const textMask = conditions[maskOf('text')];
        const at = (features: Tensor): Flow => ({ x: features, embedding, context, mode, contextMask: textMask && addedMask(textMask) });

        const seen = config.controlnetConditioningChannelOrder === 'bgr' ? flip(hint, 1) : hint;
        let h = add(convIn.apply(params.conv_in, x), embedHint.apply(params.controlnet_cond_embedding, seen));
        const features = [h];
        down.forEach((block, i) => {
          const result = block.apply(params.down_blocks[i]!, flowWithin(at(h), `down_blocks.${i}`));
          features.push(...result.skips);
          h = result.x;
        });
        if (middle) h = middle.apply(params.mid_block!, at(h));
        const made = [
          ...features.map((feature, i) => zeroDown[i]!.apply(params.controlnet_down_blocks[i]!, feature)),
          zeroMiddle.apply(params.controlnet_mid_block, h),
        ];
        // Content that is pooled has no place whose strength could differ.
        const strengths = emphasis === 'guess' && !config.globalPoolConditions ? guessStrengths(made.length) : undefined;
        const strong = (feature: Tensor, i: number): Tensor => {
          const even = strengths === undefined ? feature : mul(feature, strengths[i]!);
          const scaled = scale === undefined ? even : mul(even, reshape(perItem(scale, batch, 'scale'), [batch, 1, 1, 1]));
          return config.globalPoolConditions ? mean(scaled, { axes: [2, 3], dims: 'keep' }) : scaled;
        };
        return Object.fromEntries(Object.keys(gives).map((name, i) => [name, strong(made[i]!, i)]));
      },
    }),
    info: { hint: { channels, pixels }, reads: 'step', conditions: embedded.conditions, gives },
  } satisfies Steering<ControlNetParams>);
}

/** {@link controlNet} from a parsed `config.json` of diffusers. @throws UserError or UnsupportedError naming the entry that is wrong */
export const controlNetFromConfig = (json: unknown): Steering<ControlNetParams> => controlNet(parseControlNetConfig(json));

/**
 * How strongly each of `count` places is steered when the network guesses: evenly spaced logarithms from 0.1 at the input to 1 in the
 * middle.
 *
 * @example
 * guessStrengths(3); // => [0.1, 0.31622776601683794, 1]
 */
export function guessStrengths(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => 10 ** (i / (count - 1) - 1));
}

/** Conditions, and masks beside them, that are declared. */
function only(conditions: Conditions, specs: ConditionSpecs): Conditions {
  const names = new Set(Object.keys(specs).flatMap((name) => [name, maskOf(name)]));
  return Object.fromEntries(Object.entries(conditions).filter(([name]) => names.has(name)));
}

const shapeText = (t: Tensor | undefined): string => (t === undefined ? 'nothing' : `[${t.shape.join(', ')}]`);

function checkInputs(
  { x, hint }: { readonly x: Tensor; readonly hint: Tensor },
  { inChannels, channels, pixels }: { readonly inChannels: number; readonly channels: number; readonly pixels: number },
): void {
  if (x.rank !== 4 || x.shape[1] !== inChannels || x.shape.includes(0))
    throw new UserError(`[${WHERE}] sample does not fit: x=${shapeText(x)}. Give [N, ${inChannels}, H, W].`);
  const [n, , height, width] = x.shape as readonly [number, number, number, number];
  const wanted = [n, channels, height * pixels, width * pixels];
  if (hint.shape.join() === wanted.join()) return;
  throw new UserError(
    `[${WHERE}] picture does not fit the sample: hint=${shapeText(hint)}, x=${shapeText(x)}. Give [${wanted.join(', ')}]: ${channels} `
      + `channels in [0, 1], ${pixels} pixels for each position of the sample.`,
  );
}
