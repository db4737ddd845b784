import { findClass } from '@langevin/nn';
import type { SteeringPlugin } from './define-steering.ts';
import { steeringPlugins } from './plugins.ts';

/**
 * The plugin of a class of steering networks, as configurations name it.
 *
 * @throws UnsupportedError naming the known ones
 * @example
 * findSteering('ControlNetModel').name; // => 'controlnet'
 */
export function findSteering(className: string, plugins: readonly SteeringPlugin[] = steeringPlugins): SteeringPlugin {
  return findClass(className, { plugins, where: 'backbones/steering', kind: 'network that steers' });
}
