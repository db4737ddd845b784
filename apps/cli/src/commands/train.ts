import { join } from 'node:path';
import { makeFolder, readJson, writeCredits } from '@langevin/io/node';
import {
  CREDITS,
  diffusionRunFromConfig,
  isAutoencoderConfig,
  keepAutoencoder,
  loadModel,
  MAY_CHANGE,
  parseAutoencoderConfig,
  parseTrainingConfig,
  type TrainingConfig,
} from '@langevin/pipelines';
import { UserError, type Engine } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { integer } from '../arguments.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { followTraining } from '../follow-training.ts';
import { PLUGIN_HELP } from '../plugins.ts';
import { showCount } from '../table.ts';
import { line, remark } from '../terminal.ts';
import { trainAutoencoder } from '../train-autoencoder.ts';
import { dataOptions, endingLines, eventOptions, type RunOptions } from '../train-options.ts';

interface TrainOptions extends EngineOptions, RunOptions {
  readonly from?: string;
}

const AFTER_HELP = `
Examples:
  langevin train configs/emoji.json --folder runs/emoji --steps 20000
  langevin train configs/emoji.json --folder runs/emoji --steps 20000 --resume --threads 2
  langevin train configs/emoji.json --from runs/emoji-by-subcategory
  langevin train configs/emoji-f4.json --steps 3000       an autoencoder: runs/emoji-f4/autoencoder is what latents are made with

The configuration (docs/training-config.md lists its entries, docs/autoencoder-config.md those of an
autoencoder's) decides what is computed, the options how far and how often. Ctrl+C, or
SIGTERM, writes a checkpoint and ends; a run that was killed in any other way goes on from its newest checkpoint with --resume, to the same
bytes as if nothing had happened.
At a resume these entries may have changed: ${MAY_CHANGE.join(', ')};
everything else, and what the data are, must be as it was. The folder holds report.html (curves and pictures, no server needed), log.jsonl,
evaluations/ (pictures of samples), checkpoints/ and credits.json (whose data it was trained on), and is for one process at a time.

${PLUGIN_HELP}`;

export const trainCommand: CliCommand = defineCommand({ name: 'train', add: addTrain });

function addTrain(program: Command, terminal: CommandContext): void {
  const command = program
    .command('train')
    .description('Train a diffusion model, or an autoencoder, as a configuration says.')
    .argument('<config>', 'JSON file: data, backbone or autoencoder, optimiser')
    .option('--folder <folder>', 'where the run is kept (default: runs/<name of the configuration>)')
    .option('--from <checkpoint>', 'begin with the weights of this model or run; its classes may differ (default: random weights)')
    .option('--steps <n>', 'steps in all, those before a resume included', integer(1, 1e9), 20_000)
    .option('--resume', 'go on from the newest checkpoint of the folder, if there is one')
    .option('--resume-previous', 'go on from the checkpoint before the newest, which is damaged or no good: it is set aside')
    .option('--checkpoint-every <n>', 'steps between checkpoints', integer(1, 1e9), 500)
    .option(
      '--keep-every <n>',
      'keep checkpoints at multiples of this step for good, not only the newest two; 0 keeps none',
      integer(0, 1e9),
      2000,
    )
    .option('--evaluate-every <n>', 'steps between sampled pictures; 0: only at the end', integer(0, 1e9), 1000)
    .option('--offline', 'use the data that are there, fetch nothing')
    .option('--cache-pictures', 'keep pictures on disk decoded and resized, for this run and others: for folders of large photographs')
    .option('--log-every <n>', 'steps between lines of the log', integer(1, 1e9), 10)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((config: string, options: TrainOptions) => runTraining(config, options, terminal));
}

async function runTraining(path: string, options: TrainOptions, terminal: CommandContext): Promise<void> {
  if (options.resume && options.resumePrevious)
    throw new UserError('[cli/train] a run goes on from one checkpoint: --resume and --resume-previous are both given. Give one of them.');
  const json = await readJson(path);
  if (isAutoencoderConfig(json)) {
    if (options.from !== undefined)
      throw new UserError(`[cli/train] an autoencoder begins with weights of its own: --from=${options.from}. Remove it.`);
    const config = parseAutoencoderConfig(json, path);
    await withEngine(options, (engine) => trainAutoencoder(engine, { path, config, options }, terminal));
    return;
  }
  const config = parseTrainingConfig(json, path);
  await withEngine(options, (engine) => trainOn(engine, { path, config, options }, terminal));
}

async function trainOn(
  engine: Engine,
  { path, config, options }: { readonly path: string; readonly config: TrainingConfig; readonly options: TrainOptions },
  terminal: CommandContext,
): Promise<void> {
  const { registries } = terminal;
  const { data, backbones } = registries;
  const initial = options.from === undefined ? undefined : await loadModel(options.from, { backbones, noiseParts: registries });
  const { task, pictures, parameters, remarks, credits, autoencoder } = await diffusionRunFromConfig(config, {
    engine,
    from: path,
    data,
    backbones,
    noiseParts: registries,
    ...dataOptions(options, terminal),
    ...(initial && { initial }),
  });
  remark(
    terminal,
    `${config.name}: ${showCount(pictures.source.length)} pictures of ${pictures.source.name}, ${pictures.classes?.length ?? 0} classes, `
      + `${showCount(parameters)} parameters, ${engine.name} on ${engine.device}`,
  );
  for (const text of remarks) remark(terminal, text);

  const folder = options.folder ?? join('runs', config.name);
  await makeFolder(folder);
  await writeCredits(join(folder, CREDITS), [credits]);
  if (autoencoder) await keepAutoencoder(folder, { from: config.latents!.autoencoder, sha256: autoencoder.sha256 });
  const events = train(task, { store: folderStore(folder), ...eventOptions(options), signal: terminal.signal });
  const { state: _, ...done } = await followTraining(reported(events, { folder, name: config.name }), { folder, terminal });
  if (options.json)
    return line(
      terminal,
      JSON.stringify({ ...done, parameters, images: pictures.source.length, engine: engine.name, device: engine.device }),
    );
  for (const text of endingLines(done)) line(terminal, text);
}
