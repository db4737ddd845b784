import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '@langevin/tensor';
import { byName } from './by-name.ts';

/** Checkpoints that come with the repository, beside the apps; source and build lie equally deep. */
const PRESETS: Readonly<Record<string, URL>> = { emoji: new URL('../../../models/emoji/', import.meta.url) };

export const presetNames: readonly string[] = Object.keys(PRESETS);

/** The folder of a preset. @throws UserError when it is unknown or not there */
export function presetFolder(name: string): string {
  const folder = fileURLToPath(byName(name, PRESETS, { part: 'sample', kind: 'preset' }));
  if (existsSync(folder)) return folder;
  throw new UserError(
    `[cli/sample] preset is not there: preset=${name}, folder=${folder}. Restore the folder from the repository, or give a model `
      + 'of your own with --checkpoint.',
  );
}
