import type { DiffusersScheduler } from '@langevin/samplers/compat';
import type { Image } from '@langevin/io';
import type { Tensor } from '@langevin/tensor';
import { pictureDigest } from './picture-digest.ts';
import type { CheckedGenerate } from './options.ts';
import type { ClipSkipCount } from './prompt-options.ts';
import type { PromptForm } from './prompts/clip-prompts.ts';
import type { SamplerWords } from './sampler-options.ts';
import type { MemoryMode, UsedAdapter, UsedEmbedding } from './product.ts';

/** What steered pictures. */
export interface ControlReport {
  readonly from: string;
  /** Of its picture for each that was made. */
  readonly sha256: readonly string[];
  readonly scale: number;
  readonly between: readonly [from: number, until: number];
}

/** What was really run: enough to make the pictures again. */
export interface GenerateReport {
  /** The kind of the model, and where it lies. */
  readonly product: string;
  readonly model: string;
  /** One for each picture. */
  readonly prompts: readonly string[];
  /** One for each picture, null where the product's own stands for none; absent without guidance. */
  readonly negativePrompts?: readonly (string | null)[];
  readonly seeds: readonly string[];
  readonly noise: 'each' | 'shared';
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  /** Calls of the network, each for all pictures. */
  readonly calls: number;
  readonly guidance: number;
  readonly guidanceRescale: number;
  readonly eta: number;
  /** The pictures that these began with, one for each, by the digest of their pixels; absent where they are of noise alone. */
  readonly start?: {
    readonly sha256: readonly string[];
    readonly strength: number;
    readonly masks?: readonly string[];
    readonly outside?: 'kept' | 'decoded';
  };
  /** What steered them, by the digests of its pictures. */
  readonly controls: readonly ControlReport[];
  /** What prompted them by pictures, by the digests of these. */
  readonly imagePrompts: readonly { readonly from: string; readonly sha256: readonly string[]; readonly scale: number }[];
  /** What was added to the weights. */
  readonly adapters: readonly UsedAdapter[];
  /** Words that were added to those that the text encoders know. */
  readonly embeddings: readonly UsedEmbedding[];
  readonly clipSkip: number | null;
  readonly clipSkipAs: ClipSkipCount;
  /** How the texts were read. */
  readonly dialect: PromptForm['dialect'];
  readonly windows: PromptForm['windows'];
  /** The scheduler of diffusers, with its configuration; null where a sampler led. */
  readonly scheduler: Readonly<Record<string, unknown>> | null;
  /** How the sampler and its levels were named; null where a scheduler led. */
  readonly sampler: SamplerWords | null;
  /** Whether parts of the model were released when they had done their work. */
  readonly memory: MemoryMode;
  /** What a user should know: text that did not fit, a part of the checkpoint that is not used. */
  readonly notes: readonly string[];
}

/** The report of a call. */
export async function reportOf(
  options: CheckedGenerate,
  {
    scheduler,
    calls,
    notes,
  }: { readonly scheduler?: DiffusersScheduler<Tensor>; readonly calls: number; readonly notes: readonly string[] },
): Promise<GenerateReport> {
  const { model, prompts, negatives, seeds, noise, size, steps, guidance, guidanceRescale, eta, clipSkip, start } = options;
  const sha256 = start && (await digests(start.pictures));
  const masks = start?.masks && (await digests(start.masks));
  return Object.freeze({
    product: model.name,
    model: model.label,
    prompts,
    ...(negatives && { negativePrompts: negatives.map((text) => text ?? null) }),
    seeds: seeds.map(String),
    noise,
    ...size,
    steps,
    calls,
    guidance,
    guidanceRescale,
    eta,
    ...(start && sha256 && { start: { sha256, strength: start.strength, ...(masks && { masks, outside: start.outside }) } }),
    controls: await Promise.all(
      options.controls.map(async ({ pictures, scale, from, until }, i) => ({
        from: model.controls[i]!.from,
        sha256: await digests(pictures),
        scale,
        between: [from, until] as const,
      })),
    ),
    imagePrompts: await Promise.all(
      options.imagePrompts.map(async ({ pictures, scale }, i) => ({
        from: model.imagePrompts[i]!.from,
        sha256: await digests(pictures),
        scale,
      })),
    ),
    adapters: model.adapters,
    embeddings: model.embeddings,
    clipSkip: clipSkip ?? null,
    clipSkipAs: options.clipSkipAs,
    ...options.form,
    scheduler: scheduler ? { _class_name: scheduler.className, ...scheduler.config } : null,
    sampler: options.lead?.words ?? null,
    memory: model.memory,
    notes,
  });
}

function digests(pictures: readonly Image[]): Promise<readonly string[]> {
  return Promise.all(pictures.map(pictureDigest));
}
