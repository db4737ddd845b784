import { UnsupportedError, UserError } from '@langevin/tensor';
import type { Part } from './parts.ts';

/** The products whose single files are read. */
export const architectures = ['sd1', 'sd2', 'sdxl', 'sdxl-refiner', 'sd3', 'flux'] as const;
export type Architecture = (typeof architectures)[number];

/** What of a product no tensor says. */
export interface ArchitectureFacts {
  /** As people call it. */
  readonly title: string;
  /** The pipeline of diffusers by the channels that the denoiser takes. */
  readonly pipelines: Readonly<Record<number, string>>;
  /** Sides of pictures that it was trained with. */
  readonly pixels: number;
  readonly latents: { readonly scaling_factor: number; readonly shift_factor?: number; readonly force_upcast?: boolean };
  readonly scheduler: Readonly<Record<string, unknown>>;
  readonly prediction: 'epsilon' | 'v_prediction' | 'flow';
}

const BETAS = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', num_train_timesteps: 1000 } as const;
const PNDM = {
  _class_name: 'PNDMScheduler',
  ...BETAS,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  timestep_spacing: 'leading',
} as const;
const EULER = {
  _class_name: 'EulerDiscreteScheduler',
  ...BETAS,
  interpolation_type: 'linear',
  steps_offset: 1,
  timestep_spacing: 'leading',
  use_karras_sigmas: false,
} as const;

/** From the configurations that diffusers' folders of these products have. */
export const FACTS: Readonly<Record<Architecture, ArchitectureFacts>> = {
  sd1: {
    title: 'Stable Diffusion 1',
    pipelines: { 4: 'StableDiffusionPipeline', 8: 'StableDiffusionInstructPix2PixPipeline', 9: 'StableDiffusionInpaintPipeline' },
    pixels: 512,
    latents: { scaling_factor: 0.18215 },
    scheduler: PNDM,
    prediction: 'epsilon',
  },
  sd2: {
    title: 'Stable Diffusion 2',
    pipelines: { 4: 'StableDiffusionPipeline', 9: 'StableDiffusionInpaintPipeline' },
    pixels: 768,
    latents: { scaling_factor: 0.18215 },
    scheduler: PNDM,
    prediction: 'v_prediction',
  },
  sdxl: {
    title: 'Stable Diffusion XL',
    pipelines: { 4: 'StableDiffusionXLPipeline', 8: 'StableDiffusionXLInstructPix2PixPipeline', 9: 'StableDiffusionXLInpaintPipeline' },
    pixels: 1024,
    latents: { scaling_factor: 0.13025, force_upcast: true },
    scheduler: EULER,
    prediction: 'epsilon',
  },
  'sdxl-refiner': {
    title: "Stable Diffusion XL's refiner",
    pipelines: { 4: 'StableDiffusionXLImg2ImgPipeline' },
    pixels: 1024,
    latents: { scaling_factor: 0.13025, force_upcast: true },
    scheduler: EULER,
    prediction: 'epsilon',
  },
  sd3: {
    title: 'Stable Diffusion 3',
    pipelines: { 16: 'StableDiffusion3Pipeline' },
    pixels: 1024,
    latents: { scaling_factor: 1.5305, shift_factor: 0.0609, force_upcast: true },
    scheduler: { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 3 },
    prediction: 'flow',
  },
  flux: {
    title: 'Flux',
    pipelines: { 64: 'FluxPipeline', 128: 'FluxControlPipeline', 384: 'FluxFillPipeline' },
    pixels: 1024,
    latents: { scaling_factor: 0.3611, shift_factor: 0.1159, force_upcast: true },
    scheduler: {
      _class_name: 'FlowMatchEulerDiscreteScheduler',
      num_train_timesteps: 1000,
      base_image_seq_len: 256,
      max_image_seq_len: 4096,
      base_shift: 0.5,
      max_shift: 1.15,
      shift: 3,
      use_dynamic_shifting: true,
    },
    prediction: 'flow',
  },
};

/** Features of the text that a U-Net attends to. */
const CONTEXTS: Readonly<Record<number, Architecture>> = { 768: 'sd1', 1024: 'sd2', 2048: 'sdxl', 1280: 'sdxl-refiner' };

/**
 * Which product a file is: from its encoders where it has them, as they are what the denoiser attends to, else from the width of that.
 *
 * @returns what it is, and which shapes say so; undefined where nothing but an autoencoder is there
 * @throws UserError where the shapes are those of none
 */
export function architectureOf(
  parts: readonly Part[],
  { asked, from }: { readonly asked: Architecture | undefined; readonly from: string },
): { readonly name: Architecture; readonly reason: string } | undefined {
  if (asked !== undefined && !architectures.includes(asked))
    throw new UserError(`[pipelines/single-file] unknown architecture: architecture=${String(asked)}. Known: ${architectures.join(', ')}.`);
  if (asked !== undefined) return { name: asked, reason: 'asked for' };
  const denoiser = parts.find(({ kind }) => kind === 'unet' || kind === 'sd3' || kind === 'flux');
  if (denoiser?.kind === 'sd3' || denoiser?.kind === 'flux') return { name: denoiser.kind, reason: 'the names of its blocks' };
  const prefixes = parts.map(({ prefix }) => prefix);
  if (prefixes.some((prefix) => prefix.startsWith('text_encoders.'))) return { name: 'sd3', reason: 'the names of its encoders' };
  const unet = parts.find((part) => part.kind === 'unet');
  const added = unet?.layout.added;
  if (added !== undefined && prefixes.some((prefix) => prefix.startsWith('cond_stage_model.')))
    throw new UnsupportedError(
      `[pipelines/single-file] model is made for pictures as prompts: file=${from}, label_emb of ${added} features beside one encoder. `
        + 'Open it as a folder of diffusers.',
    );
  const context = unet?.layout.context;
  const said = context === undefined ? 'its encoders' : `input of ${unet!.layout.channels[0]!} features, context of ${context}`;
  if (prefixes.includes('conditioner.embedders.1.model.')) return { name: 'sdxl', reason: `two encoders, ${said}` };
  if (prefixes.includes('conditioner.embedders.0.model.'))
    return { name: 'sdxl-refiner', reason: `OpenCLIP alone, with sizes added, ${said}` };
  if (prefixes.includes('cond_stage_model.model.')) return { name: 'sd2', reason: `OpenCLIP alone, ${said}` };
  if (prefixes.includes('cond_stage_model.transformer.')) return { name: 'sd1', reason: `CLIP alone, ${said}` };
  if (context === undefined) return undefined;
  const name = CONTEXTS[context];
  const fits = name !== undefined && (added !== undefined) === name.startsWith('sdxl');
  if (fits) return { name, reason: `${said}${added === undefined ? '' : `, ${added} features added`}` };
  throw new UserError(
    `[pipelines/single-file] shapes are those of no known model: file=${from}, ${said}, added=${added ?? 'none'}. Say which it is with the `
      + `option architecture: ${architectures.join(', ')}.`,
  );
}
