import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backboneFromConfig } from '@langevin/backbones';
import { drawUniforms } from '@langevin/core-schedules';
import type { HostTensor } from '@langevin/io';
import { readSafetensors, writeSafetensors } from '@langevin/io/node';
import { toStateDict } from '@langevin/nn';
import { diffusionRunFromConfig, pictureBatches, pictureForm, type TrainingConfig } from '@langevin/pipelines';
import { counterGenerator, data, torchGenerator, type Engine, type Generator } from '@langevin/tensor';
import type { Position } from '@langevin/training';

/** How the first steps of a training compare with the twin's. */
export interface StepParity {
  readonly config: string;
  readonly torch: string;
  readonly steps: number;
  /** |loss - twin's| / twin's, of the first step, and the largest of the others. */
  readonly firstLoss: number;
  readonly laterLosses: number;
  /** |g - twin's| / |twin's| over all gradients of the first step together. */
  readonly gradients: number;
  /** |w - twin's| / |twin's - those at the start|: how far the weights are apart after all steps, in units of how far they went. */
  readonly weights: number;
  readonly holds: boolean;
}

/** What has to hold: rounding alone at first; later Adam turns the rounding of gradients near zero into steps of full size. */
export const ALLOWED = { firstLoss: 1e-5, gradients: 1e-4, laterLosses: 1e-3 } as const;

/** What a step of the diffusion task draws, by the names it draws it under. */
const PURPOSES = ['levels', 'noise', 'dropout of label'] as const;

export interface ParityOptions {
  readonly root: string;
  readonly name: string;
  readonly config: TrainingConfig;
  readonly engine: Engine;
  /** A Python with torch and diffusers. */
  readonly python: string;
  /** @default 20 */
  readonly steps?: number;
}

/**
 * Runs the first steps of a training twice, here and in PyTorch, from the same weights, pictures, noise, levels and dropped labels. The
 * weights are those of a network whose last layers are not zero, so that gradients reach all of it in the first step.
 */
export async function stepParity({ root, name, config, engine, python, steps = 20 }: ParityOptions): Promise<StepParity> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-twin-'));
  try {
    const ours = await recordSteps(config, { folder, engine, steps });
    const script = join(root, 'tooling/parity/diffusion_twin.py');
    const { status, stderr } = spawnSync(python, [script, 'steps', folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`[bench/parity] the twin failed: config=${name}. ${stderr.slice(-2000)}`);
    const twin = JSON.parse(readFileSync(join(folder, 'twin.json'), 'utf8')) as {
      readonly torch: string;
      readonly losses: readonly number[];
    };
    const gaps = ours.losses.map((loss, step) => Math.abs(loss - twin.losses[step]!) / Math.abs(twin.losses[step]!));
    const start = await tensorsIn(join(folder, 'weights.safetensors'));
    const end = await tensorsIn(join(folder, 'twin-weights.safetensors'));
    const gradients = relativeDistance(ours.gradients, await tensorsIn(join(folder, 'twin-gradients.safetensors')));
    const [firstLoss = NaN, ...rest] = gaps;
    const laterLosses = Math.max(...rest);
    return {
      config: name,
      torch: twin.torch,
      steps,
      firstLoss,
      laterLosses,
      gradients,
      weights: norm(difference(ours.weights, end)) / norm(difference(start, end)),
      // Not a number is no agreement.
      holds: firstLoss <= ALLOWED.firstLoss && gradients <= ALLOWED.gradients && laterLosses <= ALLOWED.laterLosses,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Vectors = ReadonlyMap<string, Float32Array>;

interface Recorded {
  readonly losses: readonly number[];
  /** Of the first step, after clipping. */
  readonly gradients: Vectors;
  /** After all steps. */
  readonly weights: Vectors;
}

/** Runs the task's own steps, with all that they are given in files for the twin. */
async function recordSteps(
  config: TrainingConfig,
  { folder, engine, steps }: { readonly folder: string; readonly engine: Engine; readonly steps: number },
): Promise<Recorded> {
  const { task, pictures, labels, network } = await diffusionRunFromConfig(config, { engine });
  const batchOf = pictureBatches(pictures, {
    form: pictureForm(network),
    batchSize: config.batchSize,
    seed: config.seed,
    flip: config.flip,
    label: { ...(labels?.none !== undefined && { none: labels.none }) },
  });
  const begin = await task.init();
  const params = backboneFromConfig(config.backbone, { init: 'torch' }).init(torchGenerator(config.seed));
  const optimizer = begin.network.optimizer;
  let state: typeof begin = { network: { ...begin.network, params, optimizer, averages: { average: params } } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'weights.safetensors'), await toStateDict(params));

  const drawn: Record<string, HostTensor> = {};
  const uniforms: (readonly number[])[] = [];
  const losses: number[] = [];
  let position: Position = { epoch: 0, index: 0 };
  let gradients: Vectors = new Map();
  for (let step = 0; step < steps; step += 1) {
    const purposes = new Set<string>();
    const generatorOf = (purpose: string): Generator =>
      counterGenerator({ seed: config.seed, stream: [step, PURPOSES.indexOf(purpose as (typeof PURPOSES)[number])] });
    const batch = await batchOf(position);
    const count = batch.shape[0]!;
    uniforms.push(drawUniforms({ generator: generatorOf('levels'), count, spread: 'stratified' }));
    drawn[`${step}.x0`] = { dtype: 'float32', shape: batch.shape, data: batch.x0.slice() };
    drawn[`${step}.noise`] = {
      dtype: 'float32',
      shape: batch.shape,
      data: Float32Array.from(generatorOf('noise').normal(batch.x0.length)),
    };
    drawn[`${step}.dropout`] = {
      dtype: 'float32',
      shape: [count],
      data: Float32Array.from(generatorOf('dropout of label').uniform(count)),
    };
    drawn[`${step}.labels`] = { dtype: 'int32', shape: [count], data: (await data(batch.conditions!['label']!)) as Int32Array };
    const from = position;
    const result = await task.step(state, {
      step,
      stream: () => from,
      random: (purpose) => {
        purposes.add(purpose);
        return generatorOf(purpose);
      },
    });
    // Another name would have been drawn from another stream than the twin was told of.
    if ([...purposes].sort().join() !== [...PURPOSES].sort().join())
      throw new Error(`[bench/parity] the task draws for other purposes: ${[...purposes].join(', ')}.`);
    losses.push(result.losses['loss']!);
    ({ state } = result);
    position = result.streams!['data']!;
    // Adam's first moment is a sum of gradients: after one step it is the gradient.
    if (step === 0) gradients = await vectorsOf(state.network.optimizer.gradientSum);
  }
  await writeSafetensors(join(folder, 'batches.safetensors'), drawn);
  writeFileSync(join(folder, 'levels.json'), JSON.stringify(uniforms));
  return { losses, gradients, weights: await vectorsOf(state.network.params) };
}

async function vectorsOf(tree: unknown): Promise<Vectors> {
  return new Map([...(await toStateDict(tree))].map(([name, entry]) => [name, Float32Array.from(entry.data as Float32Array)]));
}

async function tensorsIn(path: string): Promise<Vectors> {
  const { tensors } = await readSafetensors(path);
  return new Map([...tensors].map(([name, entry]) => [name, entry.data as Float32Array]));
}

/** Of two sets of vectors with the same names. */
function difference(a: Vectors, b: Vectors): Vectors {
  const names = [...b.keys()].sort();
  if ([...a.keys()].sort().join() !== names.join()) throw new Error('[bench/parity] the twin has other parameters.');
  return new Map(names.map((name) => [name, a.get(name)!.map((value, i) => value - b.get(name)![i]!)]));
}

function relativeDistance(a: Vectors, b: Vectors): number {
  return norm(difference(a, b)) / norm(b);
}

function norm(vectors: Vectors): number {
  let sum = 0;
  for (const vector of vectors.values()) for (const value of vector) sum += value ** 2;
  return Math.sqrt(sum);
}
