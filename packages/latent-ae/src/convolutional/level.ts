import {
  defineModule,
  downsample,
  resnetBlock,
  scoped,
  upsample,
  type ActivationName,
  type Layer,
  type ResampleParams,
  type ResnetBlockParams,
} from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';

/** What all residual blocks of one autoencoder share. */
export interface LevelConfig {
  /** Axes behind the channels. @default 2: pictures */
  readonly axes?: 1 | 2 | 3;
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: ActivationName;
}

/** Names of diffusers. */
export interface LevelParams {
  readonly resnets: readonly ResnetBlockParams[];
  readonly downsamplers?: readonly [ResampleParams];
  readonly upsamplers?: readonly [ResampleParams];
}

/** `DownEncoderBlock2D` and `UpDecoderBlock2D` of diffusers: residual blocks, then half or twice the sides, or the same. */
export function level({
  inputs,
  outputs,
  layers,
  resample,
  axes = 2,
  ...shared
}: LevelConfig & {
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: number;
  readonly resample: 'down' | 'up' | 'none';
}): Layer<LevelParams> {
  const resnets = Array.from({ length: layers }, (_, i) =>
    scoped(`resnets.${i}`, resnetBlock({ inputs: i === 0 ? inputs : outputs, outputs, embedding: null, axes, ...shared })),
  );
  const down = resample === 'down' ? scoped('downsamplers.0', downsample({ channels: outputs, padding: 0, axes })) : undefined;
  const up = resample === 'up' ? scoped('upsamplers.0', upsample({ channels: outputs, axes })) : undefined;
  return defineModule({
    init: (generator: Generator): LevelParams => ({
      resnets: resnets.map((block) => block.init(generator)),
      ...(down && { downsamplers: [down.init(generator)] }),
      ...(up && { upsamplers: [up.init(generator)] }),
    }),
    apply(params: LevelParams, x: Tensor) {
      const h = resnets.reduce((state, block, i) => block.apply(params.resnets[i]!, state, { embedding: null }), x);
      if (down) return down.apply(params.downsamplers![0], h);
      return up ? up.apply(params.upsamplers![0], h) : h;
    },
  });
}
