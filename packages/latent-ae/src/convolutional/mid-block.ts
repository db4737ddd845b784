import {
  defineModule,
  pixelAttention,
  resnetBlock,
  scoped,
  type Layer,
  type PixelAttentionParams,
  type ResnetBlockParams,
} from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';
import type { LevelConfig } from './level.ts';

/** Names of diffusers. */
export interface MidBlockParams {
  readonly attentions?: readonly [PixelAttentionParams];
  readonly resnets: readonly [ResnetBlockParams, ResnetBlockParams];
}

/** `UNetMidBlock2D` of diffusers: a residual block, attention among the pixels with one head, another residual block. */
export function midBlock({
  channels,
  attention,
  ...shared
}: LevelConfig & { readonly channels: number; readonly attention: 'pixels' | 'none' }): Layer<MidBlockParams> {
  const resnet = (i: number) => scoped(`resnets.${i}`, resnetBlock({ inputs: channels, embedding: null, ...shared }));
  const [before, after] = [resnet(0), resnet(1)];
  const among =
    attention === 'none' ? undefined : scoped('attentions.0', pixelAttention({ channels, groups: shared.groups, epsilon: shared.epsilon }));
  return defineModule({
    init(generator: Generator): MidBlockParams {
      const first = before.init(generator);
      const middle = among?.init(generator);
      return { ...(middle && { attentions: [middle] }), resnets: [first, after.init(generator)] };
    },
    apply(params: MidBlockParams, x: Tensor) {
      const h = before.apply(params.resnets[0], x, { embedding: null });
      return after.apply(params.resnets[1], among ? among.apply(params.attentions![0], h) : h, { embedding: null });
    },
  });
}
