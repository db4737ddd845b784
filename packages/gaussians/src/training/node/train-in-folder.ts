import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { imageGrid } from '@langevin/io';
import { writeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { imageOf, pictureOf } from '../pictures.ts';
import { trainSplats, type SplatEvent, type TrainSplatsOptions } from '../train.ts';
import { folderStore } from './folder-store.ts';
import { writeReport } from './report.ts';
import { appendLine, truncateLog } from './run-log.ts';

export interface TrainInFolderOptions extends Omit<TrainSplatsOptions, 'store'> {
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
 * {@link trainSplats} with its checkpoints, logs, held-out renders and a report in a folder. Apart from timings.jsonl and the report, a run that
 * was killed and resumed leaves the same bytes as one that was not.
 */
export async function* trainSplatsInFolder(options: TrainInFolderOptions): AsyncGenerator<SplatEvent, void> {
  const { folder, logEvery = 10, keep = 2, ...rest } = options;
  if (!Number.isSafeInteger(logEvery) || logEvery < 1) throw new UserError(`[gaussians/training] option is out of range: logEvery=${logEvery}. Give an integer >= 1.`);
  const at = { log: join(folder, 'log.jsonl'), timings: join(folder, 'timings.jsonl'), evaluations: join(folder, 'evaluations.jsonl'), renders: join(folder, 'renders'), report: join(folder, 'report.html') };
  const store = folderStore(join(folder, 'checkpoints'), { keep });
  await mkdir(at.renders, { recursive: true });
  let shown = 0;
  let step = 0;
  const report = (): Promise<void> => writeReport({ ...at, name: options.scene.name, step, steps: options.steps });
  for await (const event of trainSplats({ ...rest, store })) {
    ({ step } = event);
    switch (event.kind) {
      case 'start':
        for (const path of [at.log, at.timings, at.evaluations]) await truncateLog(path, event.step);
        break;
      case 'step':
        if (step % logEvery === 0 || step === event.steps) {
          const { loss, l1, ssim, psnr } = event.metrics;
          await appendLine(at.log, { step, loss, l1, ssim, psnr, count: event.count });
          await appendLine(at.timings, { step, milliseconds: event.milliseconds });
        }
        break;
      case 'view':
        if (shown++ < SHOWN_VIEWS) {
          const { view, rendering, score } = event;
          const truth = imageOf(pictureOf(view.image, options.background === 'white' ? [1, 1, 1] : [0, 0, 0]), view.camera);
          const name = view.name.replace(/\.[^./]+$/, '').replace(/[^a-zA-Z0-9._-]+/g, '_');
          await writeImage(join(at.renders, `${name}-${String(step).padStart(8, '0')}.png`), imageGrid([truth, imageOf(rendering.color, view.camera)], { columns: 2, labels: ['photograph', `render ${score.psnr.toFixed(2)} dB`] }));
        }
        break;
      case 'evaluation':
        shown = 0;
        await truncateLog(at.evaluations, step - 1);
        await appendLine(at.evaluations, { step, psnr: event.psnr, ssim: event.ssim, ...(event.perceptual !== undefined && { perceptual: event.perceptual }) });
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
