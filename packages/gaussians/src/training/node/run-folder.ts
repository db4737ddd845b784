import { join } from 'node:path';
import { imageGrid } from '@langevin/io';
import { appendLog, lockFolder, makeFolder, removeStaleTemporaries, truncateLog, writeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import type { TrainingBackground } from '../config.ts';
import { imageOf, pictureOf } from '../pictures.ts';
import type { CheckpointStore, SplatEvent } from '../run.ts';
import { folderStore } from './folder-store.ts';
import { writeReport } from './report.ts';

/** How a run is kept in a folder. */
export interface RunFolderOptions {
  /** Where the run is kept: log.jsonl, timings.jsonl, evaluations.jsonl, renders/, checkpoints/ and report.html. */
  readonly folder: string;
  /** Steps between lines of the log. @default 10 */
  readonly logEvery?: number;
  /** Newest checkpoints that stay. @default 2 */
  readonly keep?: number;
}

/** Held-out views of which a picture is kept. */
const SHOWN_VIEWS = 8;

/**
 * A run with its checkpoints, logs, held-out renders and a report in a folder. Apart from timings.jsonl and the report, a run that was
 * killed and resumed leaves the same bytes as one that was not.
 *
 * @throws UserError when the folder cannot be written to, or another process trains there
 * @param begin starts the run with the store of the folder
 */
export async function* runInFolder<Event extends SplatEvent>(
  begin: (store: CheckpointStore) => AsyncIterable<Event>,
  options: RunInFolderOptions,
): AsyncGenerator<Event, void> {
  const { folder, logEvery = 10 } = options;
  if (!Number.isSafeInteger(logEvery) || logEvery < 1)
    throw new UserError(`[gaussians/training] option is out of range: logEvery=${logEvery}. Give an integer >= 1.`);
  await makeFolder(folder);
  const lock = await lockFolder(folder);
  try {
    yield* keepRun(begin, options);
  } finally {
    await lock.release();
  }
}

interface RunInFolderOptions extends RunFolderOptions {
  readonly name: string;
  readonly steps: number;
  readonly background?: TrainingBackground | undefined;
}

async function* keepRun<Event extends SplatEvent>(
  begin: (store: CheckpointStore) => AsyncIterable<Event>,
  { folder, logEvery = 10, keep = 2, background, ...options }: RunInFolderOptions,
): AsyncGenerator<Event, void> {
  const at = {
    log: join(folder, 'log.jsonl'),
    timings: join(folder, 'timings.jsonl'),
    evaluations: join(folder, 'evaluations.jsonl'),
    renders: join(folder, 'renders'),
    report: join(folder, 'report.html'),
  };
  const store = folderStore(join(folder, 'checkpoints'), { keep });
  await makeFolder(at.renders);
  // What a killed run left half-written.
  for (const path of [folder, at.renders]) await removeStaleTemporaries(path);
  let shown = 0;
  let step = 0;
  const report = (): Promise<void> => writeReport({ ...at, name: options.name, step, steps: options.steps });
  for await (const event of begin(store)) {
    ({ step } = event);
    const known: SplatEvent = event;
    switch (known.kind) {
      case 'start':
        for (const path of [at.log, at.timings, at.evaluations]) await truncateLog(path, known.step);
        break;
      case 'step':
        if (step % logEvery === 0 || step === known.steps) {
          const { loss, l1, ssim, psnr } = known.metrics;
          await appendLog(at.log, { step, loss, l1, ssim, psnr, count: known.count });
          await appendLog(at.timings, { step, milliseconds: known.milliseconds });
        }
        break;
      case 'view':
        if (shown++ < SHOWN_VIEWS) {
          const { view, rendering, score } = known;
          const truth = imageOf(pictureOf(view.image, background === 'white' ? [1, 1, 1] : [0, 0, 0]), view.camera);
          const name = view.name.replace(/\.[^./]+$/, '').replace(/[^a-zA-Z0-9._-]+/g, '_');
          await writeImage(
            join(at.renders, `${name}-${String(step).padStart(8, '0')}.png`),
            imageGrid([truth, imageOf(rendering.color, view.camera)], {
              columns: 2,
              labels: ['photograph', `render ${score.psnr.toFixed(2)} dB`],
            }),
          );
        }
        break;
      case 'evaluation':
        shown = 0;
        await truncateLog(at.evaluations, step - 1);
        await appendLog(at.evaluations, {
          step,
          psnr: known.psnr,
          ssim: known.ssim,
          ...(known.perceptual !== undefined && { perceptual: known.perceptual }),
        });
        await report();
        break;
      case 'done':
        await report();
        break;
      case 'refined':
      case 'checkpoint':
        break;
    }
    yield event;
  }
}
