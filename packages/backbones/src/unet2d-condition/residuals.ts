import type { ConditionSpec, ConditionSpecs } from '@langevin/core';
import { skipForms } from './body.ts';
import type { Unet2dConditionConfig } from './config.ts';

/** The name of what a ControlNet adds to the features at a place of the way down, or to those of the middle. */
export const controlName = (place: number | 'middle'): string => `control.${place}`;

/** The name of what a T2I-Adapter adds to the features of a level of the way down, or to those of the middle. */
export const adapterName = (place: number | 'middle'): string => `adapter.${place}`;

/** The conditions through which others steer a network: `control.0` and so on, `adapter.0` and so on. All may be left out. */
export function residualSpecs(config: Unet2dConditionConfig): ConditionSpecs {
  const forms = skipForms(config);
  const bottom = forms.at(-1)!;
  const features = (form: { readonly channels: number; readonly shrink: number }): ConditionSpec => ({
    kind: 'features',
    ...form,
    optional: true,
  });
  const levels = config.blockOutChannels.map((channels, i) => ({ channels, shrink: shrinkOfAdapter(config, i) }));
  return Object.fromEntries([
    ...forms.map((form, i) => [controlName(i), features(form)]),
    [controlName('middle'), features(bottom)],
    ...levels.map((form, i) => [adapterName(i), features(form)]),
    [adapterName('middle'), features(bottom)],
  ]) as ConditionSpecs;
}

/** A block without attention takes it behind its resampling. */
function shrinkOfAdapter({ downBlockTypes, blockOutChannels }: Unet2dConditionConfig, level: number): number {
  const isPlain = /^(?:Down|Resnet)/u.test(downBlockTypes[level]!);
  return isPlain && level < blockOutChannels.length - 1 ? 2 ** (level + 1) : 2 ** level;
}
