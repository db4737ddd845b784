import { defineSteering, type Steering, type SteeringPlugin } from '../define-steering.ts';
import { T2I_ADAPTER } from './config.ts';
import { t2iAdapterFromConfig } from './t2i-adapter.ts';

export const t2iAdapterPlugin: SteeringPlugin = defineSteering({
  name: 't2i-adapter',
  className: T2I_ADAPTER.className,
  summary: 'Features of a picture, made once for all steps and added on the way down of a U-Net (Mou et al. 2023).',
  parse: (json) => t2iAdapterFromConfig(json) as Steering<unknown>,
});
