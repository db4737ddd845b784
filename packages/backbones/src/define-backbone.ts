import { UserError } from '@langevin/tensor';
import type { Network } from '@langevin/core';
import type { WeightRules } from '@langevin/nn';

export interface ParseOptions {
  /** How fresh parameters start: as in diffusers, or so that the fresh network gives 0. @default 'torch' */
  readonly init?: 'torch' | 'zero';
}

/** A family of networks, made from JSON configurations. */
export interface BackbonePlugin {
  /** Lower case with dashes: `unet2d`. */
  readonly name: string;
  /** `_class_name` of its configurations: `UNet2DModel`. */
  readonly className: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** What files of its weights spell otherwise: for `fitWeights` of nn. @default the names of its parameters, all of them */
  readonly rules?: WeightRules;
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
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(plugin.name) || !/^[A-Za-z]\w*$/u.test(plugin.className)) {
    throw new UserError(
      `[backbones/define] names are not well-formed: name="${plugin.name}", className="${plugin.className}". Use lower case with `
        + 'dashes for one, an identifier for the other.',
    );
  }
  return Object.freeze({ ...plugin });
}
