import { checkConditions, defineNetwork, type Conditions, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import {
  constant,
  conv,
  embedding,
  layerNorm,
  linear,
  normal,
  perItem,
  scoped,
  sinusoidalEmbedding,
  tapped,
  type ConvParams,
  type EmbeddingParams,
  type LinearParams,
  type NoParams,
  type NormParams,
} from '@langevin/nn';
import {
  add,
  cast,
  concat,
  expandDims,
  full,
  reshape,
  silu,
  slice,
  transpose,
  UserError,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { checkPicture } from '../patches/check-picture.ts';
import { fromPatches } from '../patches/patches.ts';
import { uvitBlock, type UvitBlockParams } from './block.ts';
import { completeUvitConfig, parseUvitConfig, UVIT, type UvitConfig } from './config.ts';

/** Names of the paper's code. */
export interface UvitParams {
  readonly patch_embed: { readonly proj: ConvParams };
  readonly time_embed?: readonly [LinearParams, NoParams, LinearParams];
  readonly label_emb?: EmbeddingParams;
  readonly context_embed?: LinearParams;
  /** [1, tokens, embedDim]: of all tokens, time and condition among them. */
  readonly pos_embed: Tensor;
  readonly in_blocks: readonly UvitBlockParams[];
  readonly mid_block: UvitBlockParams;
  readonly out_blocks: readonly UvitBlockParams[];
  readonly norm: NormParams;
  readonly decoder_pred: LinearParams;
  readonly final_layer?: ConvParams;
}

export interface UvitOptions {
  /** `'zero'` starts the last layer at 0, so that the fresh network gives 0. @default 'torch', the paper's */
  readonly init?: 'torch' | 'zero';
}

/**
 * U-ViT: time, condition and patches are all tokens of one transformer, whose blocks in the first half hand their tokens to those of the
 * second, last first. Bao et al. 2023 (arXiv:2209.12152); names of parameters and configuration as in the paper's code.
 *
 * `apply(params, x [N, inChans, imgSize, imgSize], time, { conditions })` gives a prediction of the same form. `time` is a timestep in
 * 0..1000. Its conditions, by configuration: `label`, or `text` [N, numClipToken, clipDim].
 *
 * Taps listen at `in_blocks.<i>`, `mid_block` and `out_blocks.<i>`, at all tokens [N, L, embedDim]: of the condition before those of
 * the patches, the time before a text and behind a label.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes or conditions do not fit
 * @example
 * const small = uvit({ imgSize: 32, patchSize: 2, embedDim: 512, numHeads: 8, mlpTimeEmbed: false });
 * parameterShapes(small).get('pos_embed'); // => [1, 257, 512]
 */
export function uvit(config: Partial<UvitConfig>, options: UvitOptions = {}): Network<UvitParams> {
  const complete = completeUvitConfig(config);
  const { imgSize, patchSize: p, inChans: channels, embedDim: width, numClasses, noneLabel, clipDim, numClipToken } = complete;
  const side = imgSize / p;
  const hasLabel = numClasses > 0;
  const extras = 1 + (hasLabel ? 1 : 0) + (clipDim === null ? 0 : numClipToken);
  const weightInit = normal({ deviation: 0.02 });
  const init = { weightInit, biasInit: constant(0) };
  const zero = { weightInit: constant(0), biasInit: constant(0) };
  const embed = scoped('patch_embed.proj', conv({ inputs: channels, outputs: width, kernel: p, stride: p }));
  const time1 = scoped('time_embed.0', linear({ inputs: width, outputs: 4 * width, ...init }));
  const time2 = scoped('time_embed.2', linear({ inputs: 4 * width, outputs: width, ...init }));
  const labels = hasLabel ? scoped('label_emb', embedding({ count: numClasses, size: width })) : undefined;
  const context = clipDim === null ? undefined : scoped('context_embed', linear({ inputs: clipDim, outputs: width, ...init }));
  const half = Math.floor(complete.depth / 2);
  const blockOf = (name: string, skip: 'joined' | 'none'): ReturnType<typeof uvitBlock> =>
    scoped(
      name,
      uvitBlock({
        ...{ width, heads: complete.numHeads, hidden: Math.trunc(width * complete.mlpRatio) },
        ...{ bias: complete.qkvBias ? 'learned' : 'none', skip, init },
      }),
    );
  const inBlocks = Array.from({ length: half }, (_, i) => blockOf(`in_blocks.${i}`, 'none'));
  const middle = blockOf('mid_block', 'none');
  const outBlocks = Array.from({ length: half }, (_, i) => blockOf(`out_blocks.${i}`, complete.skip ? 'joined' : 'none'));
  const norm = scoped('norm', layerNorm({ channels: width, epsilon: 1e-5 }));
  const isZero = options.init === 'zero';
  const decode = scoped('decoder_pred', linear({ inputs: width, outputs: p * p * channels, ...(isZero && !complete.conv ? zero : init) }));
  const last = complete.conv
    ? scoped('final_layer', conv({ inputs: channels, outputs: channels, kernel: 3, padding: 1, ...(isZero && zero) }))
    : undefined;
  const specs: ConditionSpecs = {
    ...(hasLabel && { label: { kind: 'label', count: numClasses, none: noneLabel } }),
    ...(clipDim !== null && { text: { kind: 'tokens', size: clipDim } }),
  };

  return defineNetwork({
    info: {
      channels,
      outChannels: channels,
      outputs: ['prediction'],
      axes: 'hw',
      size: [imgSize, imgSize],
      multiple: p,
      time: 'timestep',
      conditions: specs,
    },
    init: (generator: Generator): UvitParams => ({
      patch_embed: { proj: embed.init(generator) },
      ...(complete.mlpTimeEmbed && { time_embed: [time1.init(generator), {}, time2.init(generator)] as const }),
      ...(labels && { label_emb: labels.init(generator) }),
      ...(context && { context_embed: context.init(generator) }),
      pos_embed: weightInit(generator, [1, extras + side * side, width]),
      in_blocks: inBlocks.map((block) => block.init(generator)),
      mid_block: middle.init(generator),
      out_blocks: outBlocks.map((block) => block.init(generator)),
      norm: norm.init(generator),
      decoder_pred: decode.init(generator),
      ...(last && { final_layer: last.init(generator) }),
    }),
    apply(params: UvitParams, ...[x, time, { conditions = {}, taps } = {}]: NetworkArguments): Tensor {
      checkPicture(UVIT.where, x, { channels, patch: p });
      const n = x.shape[0]!;
      if (x.shape[2] !== imgSize || x.shape[3] !== imgSize) {
        throw new UserError(
          `[${UVIT.where}] sample has another size than the positions: x=[${x.shape.join(', ')}], img_size=${imgSize}. Resize it.`,
        );
      }
      const none = hasLabel && noneLabel !== null && conditions['label'] === undefined ? { label: full([n], noneLabel, 'int32') } : {};
      const told: Conditions = { ...none, ...conditions };
      checkConditions(UVIT.where, told, { specs, batch: n });
      if (context && told['text']!.shape[1] !== numClipToken) {
        throw new UserError(
          `[${UVIT.where}] text has another length than the positions: text=[${told['text']!.shape.join(', ')}], `
            + `num_clip_token=${numClipToken}. Pad it or cut it.`,
        );
      }
      const patches = embed.apply(params.patch_embed.proj, x);
      const wave = cast(sinusoidalEmbedding(perItem(time, n, 'time'), { size: width, order: 'cos-sin' }), x.dtype);
      const [first, , second] = params.time_embed ?? [];
      const timed = first === undefined ? wave : time2.apply(second!, silu(time1.apply(first, wave)));
      const tokens = [
        ...(labels ? [expandDims(labels.apply(params.label_emb!, perItem(told['label']!, n, 'conditions.label')), 1)] : []),
        expandDims(timed, 1),
        ...(context ? [context.apply(params.context_embed!, told['text']!)] : []),
        transpose(reshape(patches, [n, width, side * side]), [0, 2, 1]),
      ];
      let h = add(concat(tokens, 1), params.pos_embed);
      const skips = inBlocks.map((block, i) => {
        h = tapped(taps, `in_blocks.${i}`, block.apply(params.in_blocks[i]!, h));
        return h;
      });
      h = tapped(taps, 'mid_block', middle.apply(params.mid_block, h));
      outBlocks.forEach((block, i) => {
        h = tapped(taps, `out_blocks.${i}`, block.apply(params.out_blocks[i]!, h, skips[half - 1 - i]));
      });
      const decoded = decode.apply(params.decoder_pred, norm.apply(params.norm, h));
      const picture = fromPatches(slice(decoded, { 1: { start: extras, stop: extras + side * side } }), [side, side], p);
      return last === undefined ? picture : last.apply(params.final_layer!, picture);
    },
  });
}

/** {@link uvit} from a parsed configuration. @throws UserError naming the entry that is wrong */
export function uvitFromConfig(json: unknown, options: UvitOptions = {}): Network<UvitParams> {
  return uvit(parseUvitConfig(json), options);
}
