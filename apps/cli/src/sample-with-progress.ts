import type { Image } from '@langevin/io';
import { sampleImages, type SampleImagesOptions } from '@langevin/pipelines';
import { InternalError, UserError } from '@langevin/tensor';
import { showProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface Sampled {
  readonly images: readonly Image[];
  /** Network evaluations of each image. */
  readonly nfe: number;
  /** Of each step, in milliseconds; that of the first one includes compiling. */
  readonly durations: readonly number[];
}

/**
 * Samples, and shows how far it is.
 *
 * @throws UserError when it is stopped, with the steps that were done
 */
export async function sampleWithProgress(
  options: SampleImagesOptions & { readonly steps: number; readonly batch: number },
  terminal: Terminal,
): Promise<Sampled> {
  const { labels, steps, batch } = options;
  const work = Math.ceil((typeof labels === 'number' ? labels : labels.length) / batch) * steps;
  const view = showProgress(terminal, { name: 'sampling', unit: 'step', total: work });
  const durations: number[] = [];
  try {
    for await (const event of sampleImages({ ...options, signal: terminal.signal })) {
      if (event.kind === 'done') return { images: event.images, nfe: event.nfe, durations };
      durations.push(event.milliseconds);
      view.update((event.batch - 1) * event.steps + event.step, event.batches > 1 ? `batch ${event.batch} of ${event.batches}` : '');
    }
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    throw new UserError(
      `[cli/sample] stopped before the end: steps done=${durations.length} of ${work}. Nothing was written; run the command again.`,
      { cause: error },
    );
  } finally {
    view.stop();
  }
  throw new InternalError(`[cli/sample] sampling ended without pictures: steps done=${durations.length} of ${work}.`);
}
