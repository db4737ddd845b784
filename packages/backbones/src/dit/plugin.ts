import { defineBackbone } from '../define-backbone.ts';
import { DIT, parseDitConfig } from './config.ts';
import { dit } from './dit.ts';

export const ditBackbone = defineBackbone({
  name: 'dit',
  className: DIT.className,
  summary: 'Diffusion transformer over patches with adaLN-Zero and class labels (Peebles and Xie 2023).',
  parse(json, { init = 'torch' } = {}) {
    const config = parseDitConfig(json);
    const { inChannels, outChannels, sampleSize, patchSize, numEmbedsAdaNorm: classes } = config;
    return {
      module: dit(config, { init: init === 'zero' ? 'paper' : 'torch' }),
      info: {
        channels: inChannels,
        outputs: outChannels ?? inChannels,
        size: [sampleSize, sampleSize],
        multiple: patchSize,
        time: 'timestep',
        labels: { count: classes! + 1, none: classes },
      },
    };
  },
});
