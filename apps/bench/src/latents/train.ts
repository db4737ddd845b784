import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeCredits } from '@langevin/io/node';
import { writeTrainingInfluences } from '@langevin/metrics/node';
import {
  autoencoderRunFromConfig,
  CREDITS,
  diffusionRunFromConfig,
  keepAutoencoder,
  loadRunModel,
  saveAutoencoderFolder,
  saveDiffusionFolder,
} from '@langevin/pipelines';
import { UserError, type Engine } from '@langevin/tensor';
import { train, type Task, type TrainEvent } from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import {
  AUTOENCODER_STEPS,
  latentsFolder,
  studyAutoencoders,
  studyDiffusions,
  type StudyAutoencoder,
  type StudyDiffusion,
} from './grid.ts';

/** How far a training of the study has come. */
export interface LatentsResult {
  readonly steps: number;
  /** CPU seconds of its steps, over all sittings: what wall-clock would be on one core that nothing else used. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly parameters: number;
}

export interface TrainLatentsOptions {
  readonly root: string;
  readonly engine: Engine;
  /** Names of trainings, or beginnings of them. @default all */
  readonly only?: readonly string[];
  /** CPU minutes of each second stage. */
  readonly minutes: number;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Trains the study's autoencoders, each for as many steps, and its second stages, each for as many CPU minutes, in order. Whatever ends
 * it, it goes on where it was when it is called again.
 */
export async function trainLatents({ root, only, report, ...options }: TrainLatentsOptions): Promise<void> {
  const folder = latentsFolder(root);
  mkdirSync(folder, { recursive: true });
  const log = (line: string): void => {
    report(line);
    appendFileSync(join(folder, 'study.log'), `${new Date().toISOString()} ${line}\n`);
  };
  const wanted = <Run extends { readonly name: string }>(runs: readonly Run[]): readonly Run[] =>
    runs.filter(({ name }) => only === undefined || only.some((beginning) => name.startsWith(beginning)));
  const [autoencoders, diffusions] = [wanted(studyAutoencoders(root)), wanted(studyDiffusions(root))];
  if (autoencoders.length + diffusions.length === 0)
    throw new UserError(`[bench/latents] no such training: only=${only?.join(',')}. Known: ${namesOf(root).join(', ')}.`);
  for (const run of autoencoders)
    if (!options.signal.aborted) await trainAutoencoder(run, { ...options, folder: join(folder, run.name), log });
  for (const run of diffusions) {
    if (options.signal.aborted) return;
    if (run.over !== undefined && latentsResult(join(folder, run.over)) === undefined) log(`${run.name}: waits for ${run.over}`);
    else await trainDiffusion(run, { ...options, folder: join(folder, run.name), log });
  }
}

/** The names of all trainings. */
export function namesOf(root: string): readonly string[] {
  return [...studyAutoencoders(root), ...studyDiffusions(root)].map(({ name }) => name);
}

/** How far the training in a folder has come; undefined when it has not come to its end. */
export function latentsResult(folder: string): LatentsResult | undefined {
  const path = join(folder, 'result.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LatentsResult) : undefined;
}

type One = Pick<TrainLatentsOptions, 'engine' | 'minutes' | 'signal'> & { readonly folder: string; readonly log: (line: string) => void };

async function trainAutoencoder({ name, config }: StudyAutoencoder, { engine, signal, folder, log }: One): Promise<void> {
  if (latentsResult(folder) !== undefined) return log(`${name}: has its ${AUTOENCODER_STEPS} steps`);
  const run = await autoencoderRunFromConfig(config, { engine });
  mkdirSync(folder, { recursive: true });
  await writeCredits(join(folder, CREDITS), [run.credits]);
  await writeTrainingInfluences(folder, run.influences);
  const done = await followed(run.task, { name, folder, log, signal, steps: AUTOENCODER_STEPS, budget: Infinity });
  if (done.reason === 'aborted') return;
  const { params, config: kept } = await run.finish(done.state.autoencoder.averages['average']!);
  const out = join(folder, 'autoencoder');
  await saveAutoencoderFolder(out, { params, config: kept }, { credits: [run.credits] });
  await writeTrainingInfluences(out, run.influences);
  finish(folder, { ...done.spent, steps: done.step, parameters: run.parameters });
}

async function trainDiffusion({ name, config }: StudyDiffusion, { engine, minutes, signal, folder, log }: One): Promise<void> {
  if (latentsResult(folder) !== undefined) return log(`${name}: has its ${minutes} minutes`);
  const run = await diffusionRunFromConfig(config, { engine });
  mkdirSync(folder, { recursive: true });
  await writeCredits(join(folder, CREDITS), [run.credits]);
  if (run.autoencoder) await keepAutoencoder(folder, { from: config.latents!.autoencoder, sha256: run.autoencoder.sha256 });
  const done = await followed(run.task, { name, folder, log, signal, steps: 1e6, budget: minutes * 60 });
  if (done.spent.cpuSeconds < minutes * 60) return;
  await saveDiffusionFolder(join(folder, 'model'), (await loadRunModel(folder)).model);
  finish(folder, { ...done.spent, steps: done.step, parameters: run.parameters });
}

function finish(folder: string, result: LatentsResult): void {
  writeFileSync(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
}

interface Following {
  readonly name: string;
  readonly folder: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  readonly steps: number;
  /** CPU seconds that all sittings together may take. */
  readonly budget: number;
}

/** Runs a training to its end, its budget's, or the signal's. What it has spent is kept beside it. */
async function followed<State>(task: Task<State>, { name, folder, log, signal, steps, budget }: Following) {
  const path = join(folder, 'spent.json');
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { cpuSeconds: number; seconds: number }) : undefined;
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const spent = (): { readonly cpuSeconds: number; readonly seconds: number } => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuSeconds: (before?.cpuSeconds ?? 0) + (user + system) / 1e6,
      seconds: (before?.seconds ?? 0) + (performance.now() - wall) / 1000,
    };
  };
  const limit = new AbortController();
  const events: AsyncIterable<TrainEvent<State>> = train(task, {
    store: folderStore(folder),
    steps,
    start: 'resume',
    checkpointEvery: 200,
    evaluateEvery: 500,
    signal: AbortSignal.any([limit.signal, signal]),
  });
  log(`${name}: begins, ${(before?.seconds ?? 0).toFixed(0)} s before`);
  for await (const event of reported(events, { folder, name })) {
    if (event.kind === 'checkpoint') writeFileSync(path, JSON.stringify(spent()));
    if (event.kind === 'step' && spent().cpuSeconds >= budget) limit.abort();
    if (event.kind === 'step' && event.step % 200 === 0) log(`  ${name} step ${event.step}, loss ${event.losses['loss']!.toFixed(4)}`);
    if (event.kind !== 'done') continue;
    writeFileSync(path, JSON.stringify(spent()));
    log(`${name}: ${event.reason} at step ${event.step} after ${spent().seconds.toFixed(0)} s`);
    return { step: event.step, reason: event.reason, state: event.state, spent: spent() };
  }
  throw new UserError(`[bench/latents] training ended without saying so: name=${name}. Look at its log.`);
}
