import { karras, precondition, relativeSigma, tensorAlgebra, type NoiseLevel, type Spacing } from '@langevin/core-schedules';
import { toImages, type Image } from '@langevin/io';
import { brownianTreeNoise, heun, imageNoise, startState, trajectory, type NoiseSource, type Sampler } from '@langevin/samplers';
import { float32Data, tensor, UserError, zeros, type Engine, type Tensor } from '@langevin/tensor';
import type { DiffusionModel } from './diffusion-model.ts';
import { preconditioningOf, processOf } from './edm-description.ts';
import { compileForward, type Forward } from './forward.ts';

export interface SampleImagesOptions {
  readonly model: DiffusionModel;
  /** The class of each image; for models without classes, how many images. */
  readonly labels: readonly number[] | number;
  /** @default 0 */
  readonly seed?: number | bigint;
  /** @default heun(), deterministic and of second order */
  readonly sampler?: Sampler;
  /** @default karras() with the model's rho */
  readonly spacing?: Spacing;
  /** Sampler steps, >= 1. @default 18, where EDM's CIFAR-10 models stop gaining */
  readonly steps?: number;
  /**
   * Noise of the sampler's steps, for samplers that draw any: keyed by image and step, or the path of a Brownian tree for each image,
   * seeded by seed + image number, which stays the same when the number of steps changes. Runs start from the former. @default 'images'
   */
  readonly noise?: 'images' | 'brownian-tree';
  /** At most so many images at a time. @default 32 */
  readonly batch?: number;
  /** Aborts between evaluations, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  /** A compiled forward pass to use again. @default one for this call, freed at its end */
  readonly forward?: Forward;
}

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
 * for await (const event of sampleImages({ model, labels: [0, 1, 2], seed: 7 })) {
 *   if (event.kind === 'done') await writeImage('three.png', imageGrid(event.images));
 * }
 */
export async function* sampleImages(options: SampleImagesOptions): AsyncGenerator<SampleStep | SampleResult, void> {
  const { model, seed = 0, steps = 18, batch: most = 32, signal, engine } = options;
  const { sampler = heun(), spacing = karras({ rho: model.process.rho }), noise: kind = 'images' } = options;
  if (kind !== 'images' && kind !== 'brownian-tree')
    throw new UserError(`[pipelines/sample] unknown noise: noise=${String(kind)}. Known: images, brownian-tree.`);
  const labels = checkedLabels(model, options.labels);
  const count = labels?.length ?? (options.labels as number);
  if (!Number.isSafeInteger(most) || most < 1)
    throw new UserError(`[pipelines/sample] batch is out of range: batch=${most}. Give an integer >= 1.`);
  const levels = spacing.levels(processOf(model.process), { steps });
  const algebra = tensorAlgebra(engine ? { engine } : {});
  const forward = options.forward ?? compileForward(model.backbone, { engine });
  const batches = Math.ceil(count / most);
  // Of one size, so that all share one compiled graph; the last is filled up with images that nobody asked for.
  const size = Math.ceil(count / batches);
  const images: Image[] = [];
  let nfe = 0;
  try {
    for (let b = 0; b < batches; b++) {
      const numbers = Array.from({ length: size }, (_, i) => b * size + i);
      const wanted = Math.min(size, count - b * size);
      const classLabels =
        labels
        && tensor(
          Int32Array.from(numbers, (i) => labels[Math.min(i, count - 1)]!),
          { dtype: 'int32', shape: [size] },
        );
      const shape = [size, model.backbone.channels, model.backbone.height, model.backbone.width] as const;
      const noise = imageNoise({ seed, images: numbers });
      const denoise = precondition<Tensor>({
        network: (x, cNoise) => forward.run(model.params, x, cNoise, classLabels ?? null),
        preconditioning: preconditioningOf(model.process),
        algebra,
      });
      const bytes = async (x: Tensor): Promise<Image[]> =>
        toImages({ data: await float32Data(x, engine ? { engine } : {}), shape }).slice(0, wanted);
      const x = await startState({ algebra, noise, at: levels[0]!, like: zeros(shape) });
      let last = x;
      let before = performance.now();
      for await (const step of trajectory({
        sampler,
        denoise,
        x,
        levels,
        noise: kind === 'images' ? noise : pathNoise(seed, numbers, levels),
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
    if (!options.forward) await forward.dispose();
  }
  yield { kind: 'done', images, nfe };
}

/** A Brownian path for each image over the sigmas of the run. */
function pathNoise(seed: number | bigint, images: readonly number[], levels: readonly NoiseLevel[]): NoiseSource {
  const sigmas = levels.map(relativeSigma);
  return brownianTreeNoise({
    seed: images.map((i) => BigInt.asUintN(64, BigInt(seed) + BigInt(i))),
    sigmaMin: Math.min(...sigmas.filter((sigma) => sigma > 0)),
    sigmaMax: sigmas[0]!,
  });
}

function checkedLabels({ backbone }: DiffusionModel, labels: readonly number[] | number): readonly number[] | undefined {
  const count = typeof labels === 'number' ? labels : labels.length;
  if (!Number.isSafeInteger(count) || count < 1 || count > 1e6)
    throw new UserError(`[pipelines/sample] number of images is out of range: images=${count}. Ask for 1 to 1000000.`);
  if (typeof labels === 'number') {
    if (backbone.classes === undefined) return undefined;
    throw new UserError(
      `[pipelines/sample] model wants a class for each image: labels=${labels}, classes=${backbone.classes}. Give a list of labels.`,
    );
  }
  if (backbone.classes === undefined)
    throw new UserError(`[pipelines/sample] model knows no classes: ${labels.length} labels given. Give the number of images instead.`);
  const wrong = labels.find((label) => !Number.isSafeInteger(label) || label < 0 || label >= backbone.classes!);
  if (wrong !== undefined)
    throw new UserError(
      `[pipelines/sample] label is not one of the model's: label=${wrong}, classes=${backbone.classes}. Give integers from 0 to `
        + `${backbone.classes - 1}.`,
    );
  return labels;
}
