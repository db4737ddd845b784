import { promptDialects, type PromptDialect } from '@langevin/encoders';
import { shownValue, UserError, readOptions } from '@langevin/tensor';
import type { PromptForm } from './prompts/clip-prompts.ts';

const WHERE = 'pipelines/generate';

/** How prompts are read. */
export interface PromptFormOptions {
  /** How weights are written in them, by the program that reads them so. @default 'plain': there are none */
  readonly dialect?: PromptDialect;
  /**
   * `one` cuts what does not fit into the encoder, as diffusers does, and says what; `all` makes as many windows as a text takes, parted at
   * the word BREAK, behind a comma near a window's end, or there.
   *
   * @default 'one'
   */
  readonly windows?: 'one' | 'all';
}

/** How layers of CLIP that are left out are counted: diffusers from 0, the last one; A1111's web UI from 1, for both texts. */
export const clipSkipCounts = ['diffusers', 'a1111'] as const;
export type ClipSkipCount = (typeof clipSkipCounts)[number];

/**
 * Layers that are left out of CLIP, from its end, for prompts and for negative ones.
 *
 * @param base as many as the model leaves out in any case, to which diffusers adds
 */
export function layersLeftOut(
  { clipSkip, clipSkipAs = 'diffusers' }: { readonly clipSkip?: number; readonly clipSkipAs?: ClipSkipCount },
  base: 0 | 1,
): { readonly prompt: number; readonly negative: number } {
  if (clipSkip === undefined) return { prompt: base, negative: base };
  if (clipSkipAs === 'diffusers') return { prompt: base + clipSkip, negative: base };
  const both = Math.max(clipSkip - 1, base);
  return { prompt: both, negative: both };
}

const promptWindows = ['one', 'all'] as const;

/** @throws UserError naming the option that is wrong, or that a model does not take */
export function promptForm(given: unknown, model: { readonly name: string; readonly promptForms?: 'taken' }): PromptForm {
  const { dialect = 'plain', windows = 'one' } =
    given === undefined ? {} : readOptions(WHERE, given as PromptFormOptions, ['dialect', 'windows']);
  if (!promptDialects.includes(dialect))
    throw new UserError(`[${WHERE}] unknown dialect of prompts: dialect=${shownValue(dialect)}. Known: ${promptDialects.join(', ')}.`);
  if (!promptWindows.includes(windows))
    throw new UserError(`[${WHERE}] unknown windows of prompts: windows=${shownValue(windows)}. Known: ${promptWindows.join(', ')}.`);
  if (model.promptForms !== 'taken' && (dialect !== 'plain' || windows !== 'one'))
    throw new UserError(
      `[${WHERE}] the model reads prompts as they are, in one piece: dialect=${dialect}, windows=${windows}, model=${model.name}. Leave `
        + 'them out.',
    );
  return { dialect, windows };
}
