import { unetWeightRules } from '../../unet/weight-rules.ts';
import { defineSteering, type Steering, type SteeringPlugin } from '../define-steering.ts';
import { CONTROLNET } from './config.ts';
import { controlNetFromConfig } from './controlnet.ts';

export const controlNetPlugin: SteeringPlugin = defineSteering({
  name: 'controlnet',
  className: CONTROLNET.className,
  summary: 'A second way down of a U-Net, which sees a picture at every step: edges, poses, depth (Zhang et al. 2023).',
  rules: unetWeightRules,
  parse: (json) => controlNetFromConfig(json) as Steering<unknown>,
});
