import type { Conditions } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import type { Image } from '@langevin/io';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { tensor, type Tensor } from '@langevin/tensor';
import type { Beginning, BeginOptions } from './begin/beginning.ts';
import { maskedStart } from './begin/masked-start.ts';
import { noiseStart } from './begin/noise-start.ts';
import { pictureStart } from './begin/picture-start.ts';
import { generatorsOf } from './begin/starting-noise.ts';
import { guided } from './guided.ts';
import { checkGenerate, type CheckedGenerate, type GenerateOptions } from './options.ts';
import { reportOf, type GenerateReport } from './report.ts';
import { levelOfTimestep, schedulerRun } from './scheduler-run.ts';
import { imagePromptConditions } from './steer/image-prompts.ts';
import { steering } from './steer/steering.ts';

/** A part of the model has done its work. */
export interface GeneratePart {
  readonly kind: 'part';
  readonly name: 'text encoders' | 'autoencoder';
  readonly milliseconds: number;
}

/** The network has been called once more. */
export interface GenerateStep {
  readonly kind: 'step';
  /** Calls so far, and in all. */
  readonly step: number;
  readonly steps: number;
  readonly timestep: number;
  /** Of this call; that of the first one includes compiling. */
  readonly milliseconds: number;
  /** What the clean latents are taken to be, [N, channels, height, width]. */
  readonly denoised: Tensor;
}

export interface GenerateResult {
  readonly kind: 'done';
  /** As many as prompts times `count`, in their order; empty where latents were asked for. */
  readonly images: readonly Image[];
  /** The state at the end, [N, channels, height, width], before the autoencoder. */
  readonly latents: Tensor;
  /** What was really run: sizes, calls, seeds, what a user should know. */
  readonly report: GenerateReport;
}

/**
 * Pictures of prompts, by a model that {@link openModel} opened: yields as the parts do their work, and last the pictures. With the
 * scheduler of the checkpoint and the same words it makes the picture that diffusers makes of the same seed.
 *
 * @throws UserError when an option is out of range, or does nothing for this model
 * @example
 * // not run: needs a checkpoint in a folder
 * const model = await openModel('stable-diffusion-v1-5');
 * for await (const event of generate({ model, prompt: 'an astronaut riding a horse', seed: 7 })) {
 *   if (event.kind === 'done') await writeImage('horse.png', event.images[0]!);
 * }
 */
export async function* generate(given: GenerateOptions): AsyncGenerator<GeneratePart | GenerateStep | GenerateResult, void> {
  const options = checkGenerate(given);
  const { model, prompts, negatives, size, seeds, start, signal } = options;
  const onEngine = model.engine ? { engine: model.engine } : {};
  const generators = generatorsOf(options.noise === 'shared' ? seeds.slice(0, 1) : seeds);
  const perItem = seeds.map((_, i) => generators[options.noise === 'shared' ? 0 : i]!);
  signal?.throwIfAborted();

  let before = performance.now();
  const since = (): number => {
    const now = performance.now();
    const passed = now - before;
    before = now;
    return passed;
  };
  const told = await model.encodePrompts({
    prompts,
    size,
    ...(negatives && { negatives }),
    ...(options.clipSkip !== undefined && { clipSkip: options.clipSkip }),
    ...(signal && { signal }),
  });
  yield { kind: 'part', name: 'text encoders', milliseconds: since() };

  const scheduler = fromDiffusersConfig<Tensor>({ ...model.scheduler, ...options.scheduler }, { algebra: tensorAlgebra(onEngine) });
  if (model.setTimesteps) model.setTimesteps(scheduler, { steps: options.steps, size });
  else scheduler.setTimesteps(options.steps);
  const { channels, factor } = model.state;
  const shape = [channels, size.height / factor, size.width / factor] as const;
  signal?.throwIfAborted();
  const begun = await begin({ model, scheduler, steps: options.steps, generators: perItem, shape }, start);
  if (start) yield { kind: 'part', name: 'autoencoder', milliseconds: since() };
  const scale: Conditions = model.guidedBy === 'cfg' ? {} : { guidance: scaleOfEach(options.guidance, seeds.length) };
  const steered = await steering(model.controls, options.controls, onEngine);
  const shown = await imagePromptConditions(model.imagePrompts, options.imagePrompts, onEngine);
  const prompted = {
    conditions: { ...told.conditions, ...shown.conditions },
    ...(told.negatives && { negatives: { ...told.negatives, ...shown.negatives } }),
  };
  const run = { ...options, network: model.predict, engine: model.engine };
  let { latents } = begun;
  let calls = 0;
  for await (const { step, steps, timestep, x, denoised } of schedulerRun({
    scheduler,
    predict: (step, steps) => guided({ ...run, told: { ...prompted, always: { ...scale, ...begun.conditions, ...steered(step, steps) } } }),
    levelOf: (timestep) => levelOfTimestep(model.noise, timestep),
    x: latents,
    startAt: begun.startAt,
    generators: options.noise === 'shared' ? generators[0]! : generators,
    step: { eta: options.eta },
    ...(begun.settle && { settle: begun.settle }),
    ...(signal && { signal }),
  })) {
    latents = x;
    calls = step;
    yield { kind: 'step', step, steps, timestep, milliseconds: since(), denoised };
  }
  signal?.throwIfAborted();
  let images: readonly Image[] = [];
  if (options.output === 'images') {
    images = await model.coder.decode(latents);
    yield { kind: 'part', name: 'autoencoder', milliseconds: since() };
  }
  const none =
    calls === 0 ? ['the network was not called, as strength times steps is below one: the picture went through the autoencoder alone'] : [];
  yield {
    kind: 'done',
    images,
    latents,
    report: await reportOf(options, { scheduler, calls, notes: [...model.notes, ...told.notes, ...none] }),
  };
}

/** The state that a call begins with. */
async function begin(options: BeginOptions, start: CheckedGenerate['start']): Promise<Beginning> {
  if (start === undefined) return noiseStart(options);
  const { masks } = start;
  return masks === undefined ? pictureStart(options, start) : maskedStart(options, { ...start, masks });
}

/** [N] */
function scaleOfEach(scale: number, count: number): Tensor {
  return tensor(new Float32Array(count).fill(scale), { shape: [count] });
}
