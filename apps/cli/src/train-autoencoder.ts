import { join } from 'node:path';
import { makeFolder, writeCredits } from '@langevin/io/node';
import { latentRemarks } from '@langevin/latent-ae';
import { writeTrainingInfluences } from '@langevin/metrics/node';
import { autoencoderRunFromConfig, CREDITS, saveAutoencoderFolder, type AutoencoderConfig } from '@langevin/pipelines';
import type { Engine } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import type { CommandContext } from './define-command.ts';
import { followTraining } from './follow-training.ts';
import { showCount } from './table.ts';
import { line, remark } from './terminal.ts';
import { dataOptions, endingLines, eventOptions, type RunOptions } from './train-options.ts';

interface TrainAutoencoder {
  readonly path: string;
  readonly config: AutoencoderConfig;
  readonly options: RunOptions;
}

/** In the folder of the run: what latents are made with. */
const RESULT = 'autoencoder';

/** Trains an autoencoder, and writes its folder at the end, with the statistics of its latents. */
export async function trainAutoencoder(
  engine: Engine,
  { path, config, options }: TrainAutoencoder,
  terminal: CommandContext,
): Promise<void> {
  const { registries } = terminal;
  const { data, autoencoders, regularisers, losses } = registries;
  const run = await autoencoderRunFromConfig(config, {
    ...{ engine, from: path, data, autoencoders, regularisers, losses },
    ...dataOptions(options, terminal),
  });
  const { training, heldOut } = run.pictures;
  remark(
    terminal,
    `${config.name}: ${showCount(training.length)} pictures, ${config.heldOut === 0 ? 'none' : showCount(heldOut.length)} held out, `
      + `${showCount(run.parameters)} parameters, ${engine.name} on ${engine.device}`,
  );
  const folder = options.folder ?? join('runs', config.name);
  await makeFolder(folder);
  await writeCredits(join(folder, CREDITS), [run.credits]);
  if (run.influences.length > 0) await writeTrainingInfluences(folder, run.influences);
  const events = train(run.task, { store: folderStore(folder), ...eventOptions(options), signal: terminal.signal });
  const { state, ...done } = await followTraining(reported(events, { folder, name: config.name }), { folder, terminal });
  if (done.reason === 'aborted') {
    if (options.json) line(terminal, JSON.stringify(done));
    else for (const text of endingLines(done)) line(terminal, text);
    return;
  }
  const out = join(folder, RESULT);
  const { params, config: kept, statistics } = await run.finish(state.autoencoder.averages['average']!, { signal: terminal.signal });
  await saveAutoencoderFolder(
    out,
    { params, config: kept },
    {
      credits: [run.credits],
      metadata: { run: config.name, step: String(done.step) },
    },
  );
  if (run.influences.length > 0) await writeTrainingInfluences(out, run.influences);
  for (const text of latentRemarks(statistics)) remark(terminal, text);
  if (options.json) return line(terminal, JSON.stringify({ ...done, out, parameters: run.parameters, latents: statistics }));
  for (const text of endingLines(done)) line(terminal, text);
  line(terminal, `autoencoder ${out}`);
  line(terminal, `latents     means ${statistics.mean.map((m) => m.toPrecision(3)).join(', ')}`);
  line(terminal, `            deviations ${statistics.std.map((s) => s.toPrecision(3)).join(', ')}`);
}
