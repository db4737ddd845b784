import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSource, shuffled } from '@langevin/io';
import { writeCredits, writeSafetensors } from '@langevin/io/node';
import { toStateDict } from '@langevin/nn';
import { CREDITS, diffusionRunFromConfig, loadRunModel, saveDiffusionFolder, type TrainingConfig } from '@langevin/pipelines';
import { UserError, type Engine } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import { runConfig, studyFolder, studyRuns, type StudyRun, type Trainer } from './runs.ts';

/** How far a training of the study has come. */
export interface StudyResult {
  readonly steps: number;
  /** Of this machine, over all sittings. */
  readonly seconds: number;
  /** Pictures that it was shown. */
  readonly pictures: number;
  readonly parameters?: number;
}

export interface TrainStudyOptions {
  readonly root: string;
  readonly engine: Engine;
  /** A Python with torch and diffusers, for the twins; without it they are left out, which is said. */
  readonly python: string | undefined;
  /** Steps of each training. */
  readonly steps: number;
  /** At most so many minutes for each training of this call; what is cut goes on at the next call. */
  readonly minutes: number;
  /** Names of trainings, or beginnings of them. @default all */
  readonly only?: readonly string[];
  /** Only ours, or only the twins: two calls at once, of one thread each, share a machine without waiting for each other. @default both */
  readonly by?: Trainer;
  readonly threads: number;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains the study's list in order. Whatever ends it, it goes on where it was when it is called again: each training keeps checkpoints, and
 * one that has all its steps is left alone. A twin gets as many steps as its partner has made, so that a pair that is cut stays a pair;
 * twins alone get the steps that are asked for.
 */
export async function trainStudy({ root, only, by, report, ...options }: TrainStudyOptions): Promise<void> {
  const wanted = studyRuns
    .filter((run) => by === undefined || run.by === by)
    .filter(({ name }) => only === undefined || only.some((beginning) => name.startsWith(beginning)));
  if (wanted.length === 0)
    throw new UserError(
      `[bench/quality] no such training: only=${only?.join(',')}. Known: ${studyRuns.map(({ name }) => name).join(', ')}.`,
    );
  const folder = studyFolder(root);
  mkdirSync(folder, { recursive: true });
  const log = (line: string): void => {
    report(line);
    appendFileSync(join(folder, 'study.log'), `${new Date().toISOString()} ${line}\n`);
  };
  for (const run of wanted) {
    if (options.signal?.aborted) return;
    const at = join(folder, run.name);
    const goal = run.by === 'twin' && by === undefined ? (resultOf(join(folder, partnerOf(run)))?.steps ?? options.steps) : options.steps;
    const before = resultOf(at);
    if (before !== undefined && before.steps >= goal && existsSync(join(at, 'model'))) {
      log(`${run.name}: has its ${before.steps} steps`);
      continue;
    }
    log(`${run.name}: from step ${before?.steps ?? 0} to ${goal}`);
    const config = await runConfig(root, run);
    const trainOne = run.by === 'twin' ? trainTwin : trainOurs;
    const result = await trainOne({ ...options, root, run, config, folder: at, steps: goal, before, log });
    if (result === undefined) continue;
    writeFileSync(join(at, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
    log(`${run.name}: ${result.steps} of ${goal} steps after ${result.seconds.toFixed(0)} s`);
  }
}

/** How far the training in a folder has come; undefined when it has not begun, or not come to an end of a sitting. */
export function resultOf(folder: string): StudyResult | undefined {
  const path = join(folder, 'result.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StudyResult) : undefined;
}

/** The training of ours that a twin is compared with. */
export function partnerOf({ name }: StudyRun): string {
  return name.replace(/-twin$/u, '');
}

type One = Pick<TrainStudyOptions, 'engine' | 'python' | 'steps' | 'minutes' | 'threads' | 'signal' | 'root'> & {
  readonly run: StudyRun;
  readonly config: TrainingConfig;
  readonly folder: string;
  readonly before: StudyResult | undefined;
  readonly log: (line: string) => void;
};

async function trainOurs({ config, folder, engine, steps, minutes, signal, before, log }: One): Promise<StudyResult> {
  const limit = AbortSignal.timeout(Math.round(minutes * 60_000));
  const { task, credits, parameters } = await diffusionRunFromConfig(config, { engine });
  mkdirSync(folder, { recursive: true });
  await writeCredits(join(folder, CREDITS), [credits]);
  const started = performance.now();
  const events = train(task, {
    store: folderStore(folder),
    steps,
    start: 'resume',
    checkpointEvery: 200,
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
  });
  let step = 0;
  let mean: number | undefined;
  for await (const event of reported(events, { folder, name: config.name })) {
    if (event.kind === 'step' || event.kind === 'done') ({ step } = event);
    if (event.kind !== 'step') continue;
    const loss = event.losses['loss']!;
    mean = mean === undefined ? loss : mean + 0.02 * (loss - mean);
    if (step % 100 === 0) log(`  step ${step}, loss ${mean.toFixed(4)}`);
  }
  const seconds = (before?.seconds ?? 0) + (performance.now() - started) / 1000;
  const { model } = await loadRunModel(folder);
  await saveDiffusionFolder(join(folder, 'model'), model);
  return { steps: step, seconds, pictures: step * config.batchSize * config.accumulate, parameters };
}

async function trainTwin({
  root,
  run,
  config,
  folder,
  engine,
  python,
  steps,
  minutes,
  threads,
  signal,
  log,
}: One): Promise<StudyResult | undefined> {
  if (python === undefined) {
    log(`${run.name}: left out, as no Python with torch and diffusers was found (LANGEVIN_PYTHON, python3, python)`);
    return undefined;
  }
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config, null, 2));
  const start = join(folder, 'start.safetensors');
  await writeStart(start, { config, engine, steps });
  const script = join(root, 'tooling/parity/diffusion_twin.py');
  const given = [
    '--threads',
    String(threads),
    'train',
    path,
    '--folder',
    folder,
    '--steps',
    String(steps),
    '--minutes',
    String(minutes),
    '--start',
    start,
  ];
  const child = spawn(python, [script, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
  // It keeps its newest checkpoint when it is ended.
  const end = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', end);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', end);
  if (code !== 0) throw new UserError(`[bench/quality] the twin ended early: run=${run.name}, code=${code}. Its message is above.`);
  const done = JSON.parse(output.trim().split('\n').at(-1)!) as { readonly step: number; readonly seconds: number };
  return { steps: done.step, seconds: done.seconds, pictures: done.step * config.batchSize };
}

/** What the twin has in common with its partner: weights to begin with, and which picture each step is shown. */
async function writeStart(
  path: string,
  { config, engine, steps }: { readonly config: TrainingConfig; readonly engine: Engine; readonly steps: number },
): Promise<void> {
  const { task, pictures } = await diffusionRunFromConfig(config, { engine });
  const { network } = await task.init();
  const { batchSize, seed } = config;
  const numbersOf = defineSource({ name: 'numbers of pictures', length: pictures.source.length, load: (i) => i });
  const stream = shuffled(numbersOf, { batchSize, seed });
  const order = new Int32Array(steps * batchSize);
  let position = { epoch: 0, index: 0 };
  for (let step = 0; step < steps; step += 1) {
    const { items, next } = await stream.at(position);
    order.set(items, step * batchSize);
    position = next;
  }
  const weights = await toStateDict(network.params);
  await writeSafetensors(path, new Map([...weights, ['order', { dtype: 'int32', shape: [order.length], data: order }]]));
}
