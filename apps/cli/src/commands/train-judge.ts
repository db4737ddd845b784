import { join } from 'node:path';
import { cacheFolder, makeFolder, readJson, writeCredits } from '@langevin/io/node';
import { loadJudge, saveJudge } from '@langevin/metrics/node';
import { CREDITS, judgeRunFromConfig, parseJudgeConfig } from '@langevin/pipelines';
import { train } from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { integer, setting } from '../arguments.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { followTraining } from '../follow-training.ts';
import { showCount } from '../table.ts';
import { line, remark } from '../terminal.ts';
import { progressLines } from './data/fetching.ts';

interface TrainJudgeOptions extends EngineOptions {
  readonly folder?: string;
  readonly out?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly resume?: true;
  readonly checkpointEvery: number;
  readonly offline?: true;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin train-judge configs/judge-mnist.json --out judges/mnist
  langevin train-judge configs/judge-mnist.json --set folder=../shared/data/mnist --out judges/mnist --resume

The judge is a small network that "langevin evaluate --judge" compares samples in. Never use one in a loss of what it is to judge:
docs/metrics.md says why. Its folder holds weights in float16, and judge.json: recipe, data, hash, and how right it is on held-out data.`;

export const trainJudgeCommand: CliCommand = defineCommand({ name: 'train-judge', add: addTrainJudge });

function addTrainJudge(program: Command, terminal: CommandContext): void {
  const command = program
    .command('train-judge')
    .description('Train a network that samples are judged by, from its recipe.')
    .argument('<recipe>', 'JSON file, such as configs/judge-mnist.json')
    .option('--folder <folder>', 'where the run is kept (default: runs/<name of the recipe>)')
    .option('--out <folder>', 'where the judge goes (default: judge/ in the folder of the run)')
    .option('--set <name=value>', 'an option of the data and of the held-out data, such as folder=my-mnist; may be given again', setting)
    .option('--resume', 'go on from the newest checkpoint of the folder, if there is one')
    .option('--checkpoint-every <n>', 'steps between checkpoints', integer(1, 1e9), 500)
    .option('--offline', 'use the data that are there, fetch nothing')
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((recipe: string, options: TrainJudgeOptions) => trainJudge(recipe, options, terminal));
}

async function trainJudge(path: string, options: TrainJudgeOptions, terminal: CommandContext): Promise<void> {
  const recipe = parseJudgeConfig(await readJson(path), path);
  const config = {
    ...recipe,
    data: { ...recipe.data, ...options.set },
    heldOut: 'name' in recipe.heldOut ? { ...recipe.heldOut, ...options.set } : recipe.heldOut,
  };
  const { data } = terminal.registries;
  await withEngine(options, async (engine) => {
    const run = await judgeRunFromConfig(config, {
      engine,
      data,
      fetching: {
        cache: cacheFolder(terminal.env),
        network: options.offline ? 'offline' : 'online',
        signal: terminal.signal,
        onProgress: progressLines(terminal),
      },
    });
    remark(
      terminal,
      `${config.name}: ${showCount(run.counts.training)} pictures, ${showCount(run.counts.heldOut)} held out, ${engine.name} on `
        + engine.device,
    );
    const folder = options.folder ?? join('runs', config.name);
    await makeFolder(folder);
    await writeCredits(join(folder, CREDITS), [run.credits]);
    const events = train(run.task, {
      store: folderStore(folder),
      steps: config.steps,
      start: options.resume ? 'resume' : 'new',
      checkpointEvery: options.checkpointEvery,
      signal: terminal.signal,
    });
    const done = await followTraining(reported(events, { folder, name: config.name }), { folder, terminal });
    if (done.reason === 'aborted') {
      line(terminal, `stopped at step ${done.step}; go on with the same command and --resume`);
      return;
    }
    const out = options.out ?? join(folder, 'judge');
    // Measured as it is released: with weights that were rounded to float16.
    const params = done.state.judge.params;
    await saveJudge(out, { record: { ...run.record, measured: {} }, params });
    const judge = await loadJudge(out, { engine });
    const measured = await run.measure(judge, terminal.signal).finally(() => judge.dispose());
    const record = await saveJudge(out, { record: { ...run.record, measured: { ...measured } }, params });
    if (options.json) return line(terminal, JSON.stringify({ out, step: done.step, measured, sha256: record.sha256 }));
    line(terminal, `judge     ${out}`);
    line(terminal, `sha256    ${record.sha256}`);
    for (const [name, value] of Object.entries(measured)) line(terminal, `${name.padEnd(9)} ${Number(value.toFixed(4))}`);
  });
}
