import { UserError } from '@langevin/tensor';
import type { Backbone } from './backbone.ts';

/** What a network expects and gives, for whoever puts it to use. */
export interface BackboneInfo {
  /** Channels of the sample. */
  readonly channels: number;
  /** Channels of the result. */
  readonly outputs: number;
  /** Height and width that it was configured for; null when the configuration does not say. */
  readonly size: readonly [height: number, width: number] | null;
  /** Height and width must be multiples of this. */
  readonly multiple: number;
  /** What `time` is: a training timestep, possibly fractional; a timestep as an index; or the noise level sigma. */
  readonly time: 'timestep' | 'index' | 'sigma';
  /** Labels are 0 .. count - 1; `none` stands for no class, where the architecture reserves one. Null without class labels. */
  readonly labels: { readonly count: number; readonly none: number | null } | null;
}

export interface BackboneInstance {
  readonly module: Backbone<unknown>;
  readonly info: BackboneInfo;
}

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
  /** @throws UserError naming the entry that is wrong */
  readonly parse: (config: unknown, options?: ParseOptions) => BackboneInstance;
}

/**
 * A plugin as a frozen value.
 *
 * @throws UserError when its name or class is not well-formed
 * @example
 * const mine = defineBackbone({
 *   name: 'scale', className: 'MyScale', summary: 'One number, which multiplies the sample.',
 *   parse: () => ({
 *     module: { init: () => ({ w: scalar(1) }), apply: (params, x) => mul((params as { w: Tensor }).w, x) },
 *     info: { channels: 3, outputs: 3, size: null, multiple: 1, time: 'sigma', labels: null },
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
