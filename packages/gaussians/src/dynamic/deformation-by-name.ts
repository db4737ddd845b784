import { shownValue, UserError } from '@langevin/tensor';
import { deformations } from '../deformations/index.ts';
import type { Deformation } from './deformation.ts';

/**
 * A deformation by its name: `mlp`, `hexplane`, or that of a plugin. Name and configuration may come from a file.
 *
 * @param known the deformations to choose from; add your own with `deformations.with()`. @default the ones of this package
 * @throws UserError when none is called so, its configuration is wrong, or it does not carry the name
 * @example
 * deformationByName('mlp', { box: { center: [0, 0, 0], radius: 1 } }).config['width']; // => 128
 */
export function deformationByName(name: string, config: object, known = deformations): Deformation<unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UserError(`[gaussians/dynamic] configuration is no object: config=${shownValue(config)}. The file is damaged.`);
  const made = known.create(name, config);
  for (const part of ['init', 'offsets', 'player'] as const)
    if (typeof made?.[part] !== 'function')
      throw new UserError(
        `[gaussians/dynamic] this is no deformation: name=${name}, ${part}=${shownValue(made?.[part])}. Give a function.`,
      );
  // What is written under another name could not be read back.
  if (made.kind === name) return made;
  throw new UserError(`[gaussians/dynamic] deformation has another name: name=${name}, kind=${shownValue(made.kind)}. Make them the same.`);
}
