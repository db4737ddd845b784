import { join } from 'node:path';
import { cacheFolder } from '@langevin/io/node';
import type { OpenDataOptions } from '@langevin/io';
import type { TrainOptions } from '@langevin/training';
import type { CommandContext } from './define-command.ts';
import { progressLines } from './commands/data/fetching.ts';
import type { Ending } from './follow-training.ts';

/** What the commands that train from a configuration have in common. */
export interface RunOptions {
  readonly folder?: string;
  readonly steps: number;
  readonly resume?: true;
  readonly resumePrevious?: true;
  readonly logEvery: number;
  readonly checkpointEvery: number;
  readonly keepEvery: number;
  readonly evaluateEvery: number;
  readonly offline?: true;
  readonly cachePictures?: true;
  readonly json?: true;
}

/** Where data come from, and where they are kept. */
export function dataOptions(
  { offline, cachePictures }: RunOptions,
  terminal: CommandContext,
): { readonly fetching: Omit<OpenDataOptions, 'plugins'>; readonly pictureCache?: string; readonly latentCache: string } {
  const cache = cacheFolder(terminal.env);
  return {
    fetching: { cache, network: offline ? 'offline' : 'online', signal: terminal.signal, onProgress: progressLines(terminal) },
    latentCache: join(cache, 'latents'),
    ...(cachePictures && { pictureCache: join(cache, 'pictures') }),
  };
}

/** How far and how often. */
export function eventOptions(options: RunOptions): Omit<TrainOptions, 'store' | 'signal'> {
  return {
    steps: options.steps,
    start: options.resumePrevious ? 'previous' : options.resume ? 'resume' : 'new',
    logEvery: options.logEvery,
    checkpointEvery: options.checkpointEvery,
    evaluateEvery: options.evaluateEvery,
    ...(options.keepEvery > 0 && { milestone: options.keepEvery }),
  };
}

/** What is said at the end of a run. */
export function endingLines({ reason, step, loss, checkpoint, report }: Omit<Ending<unknown>, 'state'>): readonly string[] {
  return [
    `${reason === 'finished' ? 'finished' : 'stopped'} at step ${step}${loss === null ? '' : `, last loss ${loss.toPrecision(4)}`}`,
    `checkpoint  ${checkpoint}`,
    `report      ${report}`,
    ...(reason === 'aborted' ? ['go on with  the same command and --resume'] : []),
  ];
}
