import type { Network } from '@langevin/core';
import { defineClass, type ClassPlugin } from '@langevin/nn';

export interface ParseOptions {
  /** How fresh parameters start: as in diffusers, or so that the fresh network gives 0. @default 'torch' */
  readonly init?: 'torch' | 'zero';
}

/** A family of networks, made from JSON configurations. */
export interface BackbonePlugin extends Omit<ClassPlugin<Network<unknown>>, 'parse'> {
  /** @throws UserError naming the entry that is wrong */
  readonly parse: (config: unknown, options?: ParseOptions) => Network<unknown>;
}

/**
 * A plugin as a frozen value.
 *
 * @throws UserError when its name or class is not well-formed
 * @example
 * const mine = defineBackbone({
 *   name: 'scale', className: 'MyScale', summary: 'One number, which multiplies the sample.',
 *   parse: () => ({
 *     init: () => ({ w: scalar(1) }),
 *     apply: (params, x) => mul((params as { w: Tensor }).w, x),
 *     info: {
 *       channels: 3, outChannels: 3, outputs: ['prediction'], axes: 'hw', size: null, multiple: 1, time: 'sigma', conditions: {},
 *     },
 *   }),
 * });
 * mine.parse({}).info.channels; // => 3
 */
export function defineBackbone(plugin: BackbonePlugin): BackbonePlugin {
  return defineClass('backbones/define', plugin);
}
