import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { UserError } from '@langevin/tensor';
import { byName } from './by-name.ts';

/** Models that come as packages of their own. */
const PRESETS: Readonly<Record<string, string>> = { emoji: '@langevin/model-emoji' };

export const presetNames: readonly string[] = Object.keys(PRESETS);

/** The folder of a preset. @throws UserError when it is unknown or not installed */
export function presetFolder(name: string): string {
  const found = byName(name, PRESETS, { part: 'sample', kind: 'preset' });
  try {
    return dirname(createRequire(import.meta.url).resolve(`${found}/model_index.json`));
  } catch (cause) {
    throw new UserError(
      `[cli/sample] the model of a preset is not installed: preset=${name}, package=${found}. Run "npm install ${found}" where langevin `
        + 'is installed, or give a model of your own with --checkpoint.',
      { cause },
    );
  }
}
