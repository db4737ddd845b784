import { defineBackbone } from '../define-backbone.ts';
import { parseUnet2dConfig, UNET2D } from './config.ts';
import { unet2d } from './unet2d.ts';

const TIMES = { positional: 'timestep', learned: 'index', fourier: 'sigma' } as const;

export const unet2dBackbone = defineBackbone({
  name: 'unet2d',
  className: UNET2D.className,
  summary: 'U-Net of residual blocks and attention over pixels, with class labels (Ho et al. 2020; Dhariwal and Nichol 2021).',
  parse(json, { init = 'torch' } = {}) {
    const config = parseUnet2dConfig(json);
    const { sampleSize: size, numClassEmbeds } = config;
    return {
      module: unet2d(config, { init }),
      info: {
        channels: config.inChannels,
        outputs: config.outChannels,
        size: size === null ? null : typeof size === 'number' ? [size, size] : [size[0]!, size[1]!],
        multiple: 2 ** (config.blockOutChannels.length - 1),
        time: TIMES[config.timeEmbeddingType],
        labels: numClassEmbeds === null || config.classEmbedType !== null ? null : { count: numClassEmbeds, none: null },
      },
    };
  },
});
