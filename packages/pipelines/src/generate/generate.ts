import type { Conditions, Denoiser } from '@langevin/core';
import { toImages, type Image, type PixelBatch } from '@langevin/io';
import { latentFamilyOf, latentPreview } from '@langevin/latent-ae';
import type { DiffusersScheduler } from '@langevin/samplers/compat';
import { float32Data, tensor, type Generator, type Tensor } from '@langevin/tensor';
import type { Beginning, BeginOptions } from './begin/beginning.ts';
import { maskConditions, maskedStart } from './begin/masked-start.ts';
import { noiseStart } from './begin/noise-start.ts';
import { pictureStart } from './begin/picture-start.ts';
import { samplerStart } from './begin/sampler-start.ts';
import { generatorsOf } from './begin/starting-noise.ts';
import { guided } from './guided.ts';
import { openScheduler } from './open-scheduler.ts';
import { outsideKept } from './outside-kept.ts';
import { checkGenerate, type CheckedGenerate, type GenerateOptions } from './options.ts';
import { modelParts, type ModelPart, type OpenProduct } from './product.ts';
import { reportOf, type GenerateReport } from './report.ts';
import type { RunStep } from './run-step.ts';
import { samplerRun } from './sampler-run.ts';
import { levelOfTimestep, schedulerRun } from './scheduler-run.ts';
import { imagePromptConditions } from './steer/image-prompts.ts';
import { steering } from './steer/steering.ts';

/** A part of the model has done its work. */
export interface GeneratePart {
  readonly kind: 'part';
  readonly name: 'text encoders' | 'autoencoder';
  readonly milliseconds: number;
}

/** A step has been made. */
export interface GenerateStep {
  readonly kind: 'step';
  /** Steps so far, and in all; of a scheduler each is one call of the network. */
  readonly step: number;
  readonly steps: number;
  /** Calls of the network so far, for each picture. */
  readonly calls: number;
  readonly timestep: number;
  /** Of this step; that of the first one includes compiling. */
  readonly milliseconds: number;
  /** What the clean latents are taken to be, [N, channels, height, width]. */
  readonly denoised: Tensor;
  /**
   * What the pictures are to be, roughly and small: one pixel for each latent, by the colours of the family that the latents are of.
   *
   * @throws UnsupportedError for latents of a family whose colours are not known
   */
  readonly preview: () => Promise<readonly Image[]>;
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
  const { model } = options;
  const release = async (part: ModelPart): Promise<void> => {
    if (model.memory === 'load-and-release') await model.release(part);
  };
  try {
    yield* made(options, release);
  } finally {
    // Also where it was stopped, or failed, in the middle of a part.
    for (const part of modelParts) await release(part);
  }
}

async function* made(
  options: CheckedGenerate,
  release: (part: ModelPart) => Promise<void>,
): AsyncGenerator<GeneratePart | GenerateStep | GenerateResult, void> {
  const { model, prompts, negatives, size, seeds, start, signal } = options;
  const onEngine = model.engine ? { engine: model.engine } : {};
  const scheduler = options.lead === undefined ? openScheduler(options) : undefined;
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
    form: options.form,
    ...(negatives && { negatives }),
    ...(options.clipSkip !== undefined && { clipSkip: options.clipSkip, clipSkipAs: options.clipSkipAs }),
    ...(signal && { signal }),
  });
  await release('text encoders');
  yield { kind: 'part', name: 'text encoders', milliseconds: since() };

  const { channels, factor } = model.state;
  const shape = [channels, size.height / factor, size.width / factor] as const;
  signal?.throwIfAborted();
  const { begun, run } = await runOf(options, { scheduler, generators, perItem, shape });
  if (start) await release('autoencoder');
  if (start) yield { kind: 'part', name: 'autoencoder', milliseconds: since() };
  const scale: Conditions = model.guidedBy === 'cfg' ? {} : { guidance: scaleOfEach(options.guidance, seeds.length) };
  const steered = await steering(model.controls, options.controls, onEngine);
  const shown = await imagePromptConditions(model.imagePrompts, options.imagePrompts, onEngine);
  const prompted = {
    conditions: { ...told.conditions, ...shown.conditions },
    ...(told.negatives && { negatives: { ...told.negatives, ...shown.negatives } }),
  };
  const guiding = { ...options, network: model.predict, engine: model.engine };
  let { latents } = begun;
  let calls = 0;
  for await (const { step, steps, timestep, x, denoised, ...made } of run((step, steps) =>
    guided({ ...guiding, told: { ...prompted, always: { ...scale, ...begun.conditions, ...steered(step, steps) } } }),
  )) {
    latents = x;
    calls = made.calls;
    yield { kind: 'step', step, steps, calls, timestep, milliseconds: since(), denoised, preview: () => previewOf(model, denoised) };
  }
  await release('network');
  signal?.throwIfAborted();
  let images: readonly Image[] = [];
  if (options.output === 'images') {
    images = await model.coder.decode(latents, { decoding: options.decoding, ...(signal && { signal }) });
    if (start?.masks && start.outside === 'kept')
      images = images.map((made, i) => outsideKept(made, { before: start.pictures[i]!, mask: start.masks![i]! }));
    await release('autoencoder');
    yield { kind: 'part', name: 'autoencoder', milliseconds: since() };
  }
  const none =
    calls === 0 ? ['the network was not called, as strength times steps is below one: the picture went through the autoencoder alone'] : [];
  yield {
    kind: 'done',
    images,
    latents,
    report: await reportOf(options, { ...(scheduler && { scheduler }), calls, notes: [...model.notes, ...told.notes, ...none] }),
  };
}

/** Small pictures of latents, without the autoencoder. */
async function previewOf({ autoencoder, engine }: OpenProduct, latents: Tensor): Promise<readonly Image[]> {
  const pixels = latentPreview(latents, latentFamilyOf(autoencoder.module.info));
  const data = await float32Data(pixels, engine ? { engine } : {});
  return toImages({ data, shape: pixels.shape as PixelBatch['shape'] });
}

type Predict = (step: number, steps: number) => Denoiser<Tensor>;

/** The state that a call begins with, and what leads it from there. */
async function runOf(
  options: CheckedGenerate,
  how: {
    /** Absent where a sampler leads. */
    readonly scheduler: DiffusersScheduler<Tensor> | undefined;
    readonly generators: readonly Generator[];
    readonly perItem: readonly Generator[];
    readonly shape: readonly number[];
  },
): Promise<{
  readonly begun: Pick<Beginning, 'latents' | 'conditions'>;
  readonly run: (predict: Predict) => AsyncGenerator<RunStep, void>;
}> {
  const { model, steps, size, start, lead, signal } = options;
  const { scheduler, perItem, shape } = how;
  const onEngine = model.engine ? { engine: model.engine } : {};
  const generators = options.noise === 'shared' ? how.generators[0]! : how.generators;
  const stopping = signal ? { signal } : {};
  if (scheduler === undefined) {
    const { sampler, spacing } = lead!;
    const masked = start?.masks && (await maskConditions({ model, generators: perItem, shape }, { ...start, masks: start.masks }));
    const { latents, levels } = await samplerStart({ model, spacing, steps, generators: perItem, shape, start, ...onEngine });
    return {
      begun: { latents, ...(masked && { conditions: masked }) },
      run: (predict) => samplerRun({ sampler, levels, predict, noise: model.noise, x: latents, generators, ...onEngine, ...stopping }),
    };
  }
  if (model.setTimesteps) model.setTimesteps(scheduler, { steps, size });
  else scheduler.setTimesteps(steps);
  const begun = await begin({ model, scheduler, steps, generators: perItem, shape }, start);
  return {
    begun,
    run: (predict) =>
      schedulerRun({
        scheduler,
        predict,
        levelOf: (timestep) => levelOfTimestep(model.noise, timestep),
        x: begun.latents,
        startAt: begun.startAt,
        generators,
        step: { eta: options.eta },
        ...(begun.settle && { settle: begun.settle }),
        ...stopping,
      }),
  };
}

/** The state that a call begins with, as the pipelines of diffusers have it. */
async function begin(options: BeginOptions, start: CheckedGenerate['start']): Promise<Beginning> {
  if (start === undefined) return noiseStart(options);
  const { masks } = start;
  return masks === undefined ? pictureStart(options, start) : maskedStart(options, { ...start, masks });
}

/** [N] */
function scaleOfEach(scale: number, count: number): Tensor {
  return tensor(new Float32Array(count).fill(scale), { shape: [count] });
}
