import { full, reshape, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import { constant, layerNorm, linear, modulate, perItem, scoped, xavierUniform, type Initializer, type LinearParams } from '@langevin/nn';
import { checkConditionNames, defineNetwork, tapped, type ConditionSpecs, type Network, type NetworkArguments } from '@langevin/core';
import { checkPicture } from '../patches/check-picture.ts';
import { patchEmbed, type PatchEmbedParams } from '../patches/patch-embed.ts';
import { fromPatches } from '../patches/patches.ts';
import { ditBlock, ZERO, type DitBlockParams } from './block.ts';
import { conditioning } from './conditioning.ts';
import { completeDitConfig, DIT, parseDitConfig, type DitConfig } from './config.ts';

/** Names of diffusers. */
export interface DitParams {
  readonly pos_embed: PatchEmbedParams;
  readonly transformer_blocks: readonly DitBlockParams[];
  readonly proj_out_1: LinearParams;
  readonly proj_out_2: LinearParams;
}

export interface DitOptions {
  /** `'paper'` starts every block as the identity and the output at 0, as the paper does; `'torch'` as diffusers does. @default 'paper' */
  readonly init?: 'paper' | 'torch';
}

/** Xavier's bound for the projection of patches seen as the matrix [outputs, everything else]. */
const xavierOfMatrix: Initializer = (generator, shape) => {
  const [outputs, ...rest] = shape as readonly [number, ...number[]];
  return reshape(xavierUniform()(generator, [outputs, rest.reduce((a, b) => a * b, 1)]), shape);
};

/**
 * The diffusion transformer of Peebles and Xie 2023 (arXiv:2212.09748) in the form of diffusers' `DiTTransformer2DModel`: same names of
 * parameters, same numbers.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions?, mode? })` gives [N, outChannels, H, W]; H and W are multiples of
 * `patchSize`. Classes are the condition
 * `label`; without it every item is of the null class. Replacing labels by the null class in training is the caller's business.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes do not fit
 * @example
 * const net = dit(ditPresets['DiT-S/2']);
 * parameterCount(net); // => 32865056
 */
export function dit(config: Partial<DitConfig>, options: DitOptions = {}): Network<DitParams> {
  const complete = completeDitConfig(config);
  const { patchSize: p, inChannels, outChannels, numLayers, embedding: placing } = complete;
  const init = options.init ?? 'paper';
  const width = complete.numAttentionHeads * complete.attentionHeadDim;
  const classes = complete.numEmbedsAdaNorm!;
  const outputs = outChannels ?? inChannels;
  const paper = init === 'paper';

  const embed = scoped(
    'pos_embed',
    patchEmbed({
      where: DIT.where,
      channels: inChannels,
      width,
      patch: p,
      positions: { kind: 'stretched', base: complete.sampleSize / p },
      ...(paper && { init: { weightInit: xavierOfMatrix, biasInit: constant(0) } }),
    }),
  );
  const condition = scoped('norm1.emb', conditioning({ classes, width, init }));
  const holdsEmbedding = (i: number): boolean => i === 0 || placing === 'per-block';
  const blocks = Array.from({ length: numLayers }, (_, i) => scoped(`transformer_blocks.${i}`, ditBlock(complete, init)));
  const normOut = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });
  const projOut1 = scoped('proj_out_1', linear({ inputs: width, outputs: 2 * width, ...(paper && ZERO) }));
  const projOut2 = scoped('proj_out_2', linear({ inputs: width, outputs: p * p * outputs, ...(paper && ZERO) }));

  const specs: ConditionSpecs = { label: { kind: 'label', count: classes + 1, none: classes } };
  return defineNetwork({
    info: {
      channels: inChannels,
      outChannels: outputs,
      outputs: outputs === 2 * inChannels ? ['prediction', 'variance'] : ['prediction'],
      axes: 'hw',
      size: [complete.sampleSize, complete.sampleSize],
      multiple: p,
      time: 'timestep',
      conditions: specs,
    },
    init(generator: Generator): DitParams {
      return {
        pos_embed: embed.init(generator),
        transformer_blocks: blocks.map((block, i) => {
          const emb = holdsEmbedding(i) ? { emb: condition.init(generator) } : {};
          const { norm1, ...rest } = block.init(generator);
          return { norm1: { ...emb, ...norm1 }, ...rest };
        }),
        proj_out_1: projOut1.init(generator),
        proj_out_2: projOut2.init(generator),
      };
    },
    apply(params: DitParams, ...[x, time, { conditions: given = {}, mode, taps } = {}]: NetworkArguments) {
      checkPicture(DIT.where, x, { channels: inChannels, patch: p });
      checkConditionNames(DIT.where, given, specs);
      const n = x.shape[0]!;
      const grid = [x.shape[2]! / p, x.shape[3]! / p] as const;
      const times = perItem(time, n, 'time');
      const labels = given['label'] ? perItem(given['label'], n, 'conditions.label') : full([n], classes, 'int32');
      const conditions = params.transformer_blocks.map(({ norm1 }) => norm1.emb && condition.apply(norm1.emb, times, labels));
      let h = embed.apply(params.pos_embed, x);
      blocks.forEach((block, i) => {
        const told = (conditions[i] ?? conditions[0])!;
        h = tapped(taps, `transformer_blocks.${i}`, block.apply(params.transformer_blocks[i]!, { x: h, condition: told, mode }));
      });
      const [shift, scale] = split(projOut1.apply(params.proj_out_1, silu(conditions[0]!)), 2, 1) as [Tensor, Tensor];
      return fromPatches(projOut2.apply(params.proj_out_2, modulate(normOut.apply({}, h), { scale, shift })), grid, p);
    },
  });
}

/** {@link dit} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function ditFromConfig(json: unknown, options: DitOptions = {}): Network<DitParams> {
  return dit(parseDitConfig(json), options);
}
