import { join } from 'node:path';
import { parseAutoencoderConfig, parseTrainingConfig, type AutoencoderConfig, type TrainingConfig } from '@langevin/pipelines';

/** An autoencoder of the study. */
export interface StudyAutoencoder {
  /** Folder below {@link latentsFolder}: `f4-2`. */
  readonly name: string;
  /** What differs, by one word: `f4`. */
  readonly kind: string;
  readonly seed: number;
  readonly config: AutoencoderConfig;
}

/** A diffusion model of the study, over the latents of one of its autoencoders or over pixels. */
export interface StudyDiffusion {
  readonly name: string;
  /** Of the autoencoder; none for pixels. */
  readonly over: string | undefined;
  readonly config: TrainingConfig;
}

/** Where the trainings of the study are kept. */
export function latentsFolder(root: string): string {
  return process.env['LANGEVIN_LATENTS'] ?? join(root, 'runs', 'latents');
}

/** Steps of each autoencoder: five passes over the pictures in batches of 16. */
export const AUTOENCODER_STEPS = 2000;

/** Emoji of four styles, without skin tones: 6,661 pictures, a tenth of the emoji held out in all their styles. */
export const STUDY_DATA = { name: 'emoji', size: 32, skinTones: 'exclude', styles: ['flat', '3d', 'twemoji', 'noto'] } as const;

/** The network whose features are in the perceptual loss: trained on photographs, so that the judge of emoji has nothing to do with it. */
const PERCEPTUAL_JUDGE = 'models/judges/cifar10';

interface Variant {
  readonly seeds: readonly number[];
  /** Widths from the largest maps to the smallest: each but the last halves the sides. */
  readonly widths: readonly number[];
  readonly channels: number;
  readonly discriminator: 'with' | 'without';
  readonly regulariser: Readonly<Record<string, unknown>> & { readonly name: string };
  /** Of codes; absent for a normal posterior. */
  readonly codes?: number;
}

const F4 = { seeds: [1], widths: [32, 64, 64], channels: 4, discriminator: 'with', regulariser: { name: 'kl', weight: 1e-6 } } as const;

/**
 * Nine kinds of which each differs from `f4` in one thing, in the order of training: any beginning is worth a table. Books of codes follow
 * their latents: one of 1,024 codes that gradients moved had 6 in use after 1,400 steps.
 */
const VARIANTS = {
  f4: { ...F4, seeds: [1, 2, 3] },
  'f4-plain': { ...F4, seeds: [1, 2, 3], discriminator: 'without' },
  f8: { ...F4, widths: [32, 64, 64, 64], channels: 8 },
  f2: { ...F4, widths: [32, 64], channels: 3 },
  'kl-1': { ...F4, regulariser: { name: 'kl', weight: 1 } },
  'vq-1024': { ...F4, regulariser: { name: 'ema-codes' }, codes: 1024 },
  'kl-1e-3': { ...F4, regulariser: { name: 'kl', weight: 1e-3 } },
  'vq-64': { ...F4, regulariser: { name: 'ema-codes' }, codes: 64 },
  'kl-0': { ...F4, regulariser: { name: 'kl', weight: 0 } },
} as const satisfies Readonly<Record<string, Variant>>;

export type AutoencoderKind = keyof typeof VARIANTS;
export const autoencoderKinds = Object.keys(VARIANTS) as readonly AutoencoderKind[];

/** All autoencoders, first seeds first. */
export function studyAutoencoders(root: string): readonly StudyAutoencoder[] {
  return [0, 1, 2].flatMap((place) =>
    autoencoderKinds.flatMap((kind) => {
      const variant: Variant = VARIANTS[kind];
      const seed = variant.seeds[place];
      if (seed === undefined) return [];
      const name = `${kind}-${seed}`;
      return [{ name, kind, seed, config: configOf(name, { seed, variant, root }) }];
    }),
  );
}

function configOf(
  name: string,
  { seed, variant, root }: { readonly seed: number; readonly variant: Variant; readonly root: string },
): AutoencoderConfig {
  const { widths, channels, codes, regulariser, discriminator } = variant;
  const blocks = (type: string): readonly string[] => widths.map(() => type);
  return parseAutoencoderConfig({
    name,
    seed,
    data: STUDY_DATA,
    flip: 'horizontal',
    heldOut: 0.1,
    autoencoder: {
      _class_name: codes === undefined ? 'AutoencoderKL' : 'VQModel',
      block_out_channels: widths,
      down_block_types: blocks('DownEncoderBlock2D'),
      up_block_types: blocks('UpDecoderBlock2D'),
      layers_per_block: 1,
      latent_channels: channels,
      norm_num_groups: 8,
      sample_size: STUDY_DATA.size,
      ...(codes !== undefined && { num_vq_embeddings: codes }),
    },
    regulariser,
    losses: [{ name: 'l1' }, { name: 'perceptual', judge: join(root, PERCEPTUAL_JUDGE) }],
    ...(discriminator === 'with' && { discriminator: { channels: 32, layers: 2, weight: codes === undefined ? 0.5 : 0.75, from: 500 } }),
    optimizer: { name: 'adam', learningRate: 0.0005, betas: [0.5, 0.9], warmUp: 100 },
    batchSize: 16,
    average: { halfLifeImages: 5000 },
  });
}

/** What is diffused over: pixels, and latents of five autoencoders. */
const OVER: readonly (AutoencoderKind | undefined)[] = ['f4', undefined, 'f8', 'f2', 'kl-1', 'vq-1024'];

/** All second stages: one network of the same widths for all, so that they differ in what it sees. */
export function studyDiffusions(root: string): readonly StudyDiffusion[] {
  return OVER.map((kind) => {
    const variant: Variant | undefined = kind && VARIANTS[kind];
    const channels = variant?.channels ?? 3;
    const side = STUDY_DATA.size / 2 ** ((variant?.widths.length ?? 1) - 1);
    const name = `diffusion-${kind ?? 'pixels'}`;
    const config = parseTrainingConfig({
      name,
      seed: 1,
      data: STUDY_DATA,
      ...(kind && { latents: { autoencoder: join(latentsFolder(root), `${kind}-1`, 'autoencoder') } }),
      flip: 'horizontal',
      backbone: {
        _class_name: 'UNet2DModel',
        sample_size: side,
        in_channels: channels,
        out_channels: channels,
        block_out_channels: [64, 96, 96],
        down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
        up_block_types: ['AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'],
        layers_per_block: 1,
        attention_head_dim: 16,
        norm_num_groups: 16,
        resnet_time_scale_shift: 'scale_shift',
      },
      noise: {
        process: { name: 'edm' },
        preconditioning: { name: 'edm', sigmaData: kind === undefined ? 0.6 : 1 },
        levels: { name: 'log-normal', mean: kind === undefined ? -1.2 : -0.4, std: 1.2 },
      },
      optimizer: { name: 'adam', learningRate: 0.001, betas: [0.9, 0.99], warmUp: 100 },
      clipNorm: 1,
      batchSize: 32,
      average: { std: 0.1 },
    });
    return { name, over: kind && `${kind}-1`, config };
  });
}
