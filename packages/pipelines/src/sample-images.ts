import {
  bindCondition,
  type Conditions,
  type Denoiser,
  type NoiseLevel,
  type NoiseSource,
  relativeSigma,
  type Sampler,
} from '@langevin/core';
import { networkDenoiser, type NoiseRecipe } from '@langevin/diffusion';
import { spacings, tensorAlgebra, type NoiseProcess, type Spacing } from '@langevin/core-schedules';
import type { Image } from '@langevin/io';
import { brownianTreeNoise, imageNoise, samplers, startState, trajectory } from '@langevin/samplers';
import { tensor, UserError, zeros, type Tensor } from '@langevin/tensor';
import { pictureForm } from './image-network.ts';
import { pictureCoder } from './latents/picture-coder.ts';
import { checkSampleOptions, type SampleBatch, type SampleImagesOptions } from './sample-options.ts';

/** A sampler step of one batch has been made. */
export interface SampleStep {
  readonly kind: 'step';
  /** Number of the batch from 1, of so many. */
  readonly batch: number;
  readonly batches: number;
  /** Number of the step from 1, of so many. */
  readonly step: number;
  readonly steps: number;
  /** Network evaluations of each image of this batch so far. */
  readonly nfe: number;
  /** Duration of this step; that of the first one includes compiling. */
  readonly milliseconds: number;
  /** What the network takes the clean images of this batch to be, as images. */
  readonly preview: () => Promise<readonly Image[]>;
}

export interface SampleResult {
  readonly kind: 'done';
  /** As many as labels, in their order. */
  readonly images: readonly Image[];
  /** Network evaluations of each image. */
  readonly nfe: number;
}

/**
 * Sample images, yielding after every step and, last, the images as bytes. Image i starts from noise of its own, keyed by (seed, i): it is
 * the same in whatever batch it is made, up to the rounding of the engine. The forward pass is compiled once and serves all steps.
 *
 * @throws UserError when an option is out of range, or a label is not one of the model's
 * @example
 * // not run: needs a trained model in a folder
 * const model = await loadDiffusionFolder('my-model');
 * for await (const event of sampleImages({ model, labels: [0, 1, 'cat'], seed: 7 })) {
 *   if (event.kind === 'done') await writeImage('three.png', imageGrid(event.images));
 * }
 */
export async function* sampleImages(given: SampleImagesOptions): AsyncGenerator<SampleStep | SampleResult, void> {
  const { count, classes, none, ...options } = checkSampleOptions(given);
  const {
    model,
    seed = 0,
    steps = 18,
    batch: most = 32,
    signal,
    engine,
    sampler = usualSampler(model.noise),
    noise: kind = 'images',
  } = options;
  const { process } = model.noise;
  const { spacing = usualSpacing(model.noise) } = options;
  const levels = startingAt(spacing.levels(process, { steps }), { process, sigma: options.startSigma });
  const onEngine = engine ? { engine } : {};
  const algebra = tensorAlgebra(onEngine);
  const compiled = options.compiled ?? networkDenoiser({ network: model.network, params: model.params, noise: model.noise, ...onEngine });
  const coder = options.coder ?? pictureCoder(model.autoencoder, onEngine);
  const batches = Math.ceil(count / most);
  // Of one size, so that all share one compiled graph; the last is filled up with images that nobody asked for.
  const size = Math.ceil(count / batches);
  const { channels, height, width } = pictureForm(model.network);
  const shape = [size, channels, height, width] as const;
  const told = (labels: readonly number[] | undefined): Conditions =>
    labels === undefined ? {} : { label: tensor(Int32Array.from(labels), { dtype: 'int32', shape: [size] }) };
  const denoiserOf = (labels: readonly number[] | undefined): Denoiser<Tensor> => bindCondition(compiled, told(labels));
  const guidedOf = (labels: readonly number[] | undefined): Denoiser<Tensor> =>
    options.guidance?.guide({
      denoiser: compiled,
      algebra,
      conditions: [told(labels)],
      ...(none !== undefined && { none: told(Array.from({ length: size }, () => none)) }),
    }) ?? denoiserOf(labels);
  const images: Image[] = [];
  let nfe = 0;
  try {
    for (let b = 0; b < batches; b++) {
      const numbers = Array.from({ length: size }, (_, i) => b * size + i);
      const wanted = Math.min(size, count - b * size);
      const bytes = async (x: Tensor): Promise<readonly Image[]> => (await coder.decode(x)).slice(0, wanted);
      const labels = classes && numbers.map((i) => classes[Math.min(i, count - 1)]!);
      const batch: SampleBatch = { images: numbers, seed, levels, denoiserOf, ...(labels && { labels }) };
      const plain = guidedOf(labels);
      const { start, inside } = noiseOf(kind, batch);
      const x0 = options.pictures && (await coder.encode(numbers.map((i) => options.pictures![Math.min(i, count - 1)]!)));
      const x = await startState({ algebra, noise: start, at: levels[0]!, like: zeros(shape), ...(x0 && { x0 }) });
      let last = x;
      let before = performance.now();
      for await (const step of trajectory({
        sampler,
        denoise: options.denoiser ? options.denoiser(plain, batch) : plain,
        x,
        levels,
        noise: inside,
        algebra,
        ...(signal && { signal }),
      })) {
        ({ x: last, nfe } = step);
        const now = performance.now();
        yield {
          kind: 'step',
          batch: b + 1,
          batches,
          step: step.step,
          steps: step.steps,
          nfe,
          milliseconds: now - before,
          preview: () => bytes(step.denoised),
        };
        before = performance.now();
      }
      images.push(...(await bytes(last)));
    }
  } finally {
    if (!options.compiled) await compiled.dispose();
    if (!options.coder) await coder.dispose();
  }
  yield { kind: 'done', images, nfe };
}

/** The sampler that suits most models of this noise: what its process says, else DPM-Solver++ of second order. */
export function usualSampler({ process }: NoiseRecipe): Sampler {
  return samplers.create(process.usual.sampler ?? 'dpmpp-2m');
}

/** The noise levels that suit most models of this noise: what its process says, else even in time from the noisiest. */
export function usualSpacing({ process }: NoiseRecipe): Spacing {
  const { name, options = {} } = process.usual.spacing ?? { name: 'trailing' };
  return spacings.create(name, options);
}

/** The levels from a noise-to-signal ratio on; that one comes first. */
function startingAt(
  levels: readonly NoiseLevel[],
  { process, sigma }: { readonly process: NoiseProcess; readonly sigma: number | undefined },
): readonly NoiseLevel[] {
  if (sigma === undefined) return levels;
  const [first] = levels;
  const below = levels.filter((level) => relativeSigma(level) < sigma);
  if (sigma > relativeSigma(first!) || below.length === 0)
    throw new UserError(
      `[pipelines/sample] start level is not within those of the run: startSigma=${sigma}, levels go from ${relativeSigma(first!)} to `
        + `${relativeSigma(levels.at(-1)!)}. Choose one between.`,
    );
  return [process.levelOf(-Math.log(sigma)), ...below];
}

/** The noise that a run begins with, and that of its steps. */
function noiseOf(
  kind: NonNullable<SampleImagesOptions['noise']>,
  batch: SampleBatch,
): { readonly start: NoiseSource; readonly inside: NoiseSource } {
  if (typeof kind === 'function') {
    const source = kind(batch);
    return { start: source, inside: source };
  }
  const start = imageNoise({ seed: batch.seed, images: batch.images });
  return { start, inside: kind === 'images' ? start : pathNoise(batch) };
}

/** A Brownian path for each image over the sigmas of the run. */
function pathNoise({ seed, images, levels }: SampleBatch): NoiseSource {
  const sigmas = levels.map(relativeSigma);
  return brownianTreeNoise({
    seed: images.map((i) => BigInt.asUintN(64, BigInt(seed) + BigInt(i))),
    sigmaMin: Math.min(...sigmas.filter((sigma) => sigma > 0)),
    sigmaMax: sigmas[0]!,
  });
}
