import { add, attention, concat, pad, reshape, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, groupNorm, layerNorm, linear, scoped, type LinearParams, type NormParams } from '@langevin/nn';
import type { Flow } from './flow.ts';
import type { AttentionPart } from './stages.ts';

export interface AddedAttentionConfig {
  readonly channels: number;
  /** Features of each head; divides `channels`. */
  readonly headSize: number;
  readonly groups: number;
  readonly contextChannels: number;
  /** What queries see: pixels and context together, or the context alone. */
  readonly sees: 'both' | 'context';
  /** Of the context, before its projections. */
  readonly contextNorm: 'layer_norm' | 'group_norm' | null;
}

/** Names of diffusers. */
export interface AddedAttentionParams {
  readonly group_norm: NormParams;
  readonly norm_cross?: NormParams;
  readonly to_q: LinearParams;
  readonly to_k?: LinearParams;
  readonly to_v?: LinearParams;
  readonly add_k_proj: LinearParams;
  readonly add_v_proj: LinearParams;
  readonly to_out: readonly [LinearParams];
}

/** Groups of the norm of the context, which no configuration changes. */
const CONTEXT_GROUPS = 32;

/**
 * One attention for pixels and context: keys and values of the context stand before those of the pixels, and the result is added to the
 * input. The attention of diffusers' `SimpleCrossAttn` blocks (`AttnAddedKVProcessor`), of DeepFloyd IF and unCLIP.
 */
export function addedAttention(config: AddedAttentionConfig): AttentionPart<AddedAttentionParams> {
  const { channels, headSize, groups, contextChannels, sees, contextNorm } = config;
  const heads = channels / headSize;
  const norm = scoped('group_norm', groupNorm({ channels, groups }));
  const ofContext =
    contextNorm === null
      ? undefined
      : contextNorm === 'layer_norm'
        ? layerNorm({ channels })
        : groupNorm({ channels: contextChannels, groups: CONTEXT_GROUPS });
  const own = linear({ inputs: channels, outputs: channels });
  const added = linear({ inputs: contextChannels, outputs: channels });
  const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, headSize]), [0, 2, 1, 3]);
  const normalised = (params: AddedAttentionParams, context: Tensor): Tensor => {
    if (!ofContext) return context;
    if (contextNorm === 'layer_norm') return ofContext.apply(params.norm_cross!, context);
    return transpose(ofContext.apply(params.norm_cross!, transpose(context, [0, 2, 1])), [0, 2, 1]);
  };
  return defineModule({
    init: (generator: Generator): AddedAttentionParams => ({
      group_norm: norm.init(generator),
      ...(ofContext && { norm_cross: ofContext.init(generator) }),
      to_q: own.init(generator),
      ...(sees === 'both' && { to_k: own.init(generator), to_v: own.init(generator) }),
      add_k_proj: added.init(generator),
      add_v_proj: added.init(generator),
      to_out: [own.init(generator)],
    }),
    apply(params: AddedAttentionParams, { x, context, contextMask }: Flow) {
      const [n, , height, width] = x.shape as readonly [number, number, number, number];
      const pixels = transpose(reshape(norm.apply(params.group_norm, x), [n, channels, height * width]), [0, 2, 1]);
      const told = normalised(params, context!);
      const keys = toHeads(added.apply(params.add_k_proj, told));
      const values = toHeads(added.apply(params.add_v_proj, told));
      const isBoth = sees === 'both';
      // The mask is of the context; pixels are always seen.
      const mask = contextMask && isBoth ? pad(contextMask, [...NONE, [0, height * width]]) : contextMask;
      const gathered = attention({
        q: toHeads(own.apply(params.to_q, pixels)),
        k: isBoth ? concat([keys, toHeads(own.apply(params.to_k!, pixels))], 2) : keys,
        v: isBoth ? concat([values, toHeads(own.apply(params.to_v!, pixels))], 2) : values,
        ...(mask && { mask }),
      });
      const mixed = own.apply(params.to_out[0], reshape(transpose(gathered, [0, 2, 1, 3]), [n, height * width, channels]));
      return add(reshape(transpose(mixed, [0, 2, 1]), x.shape), x);
    },
  });
}

const NONE: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 0],
  [0, 0],
];
