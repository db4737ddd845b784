import type { DiffusersScheduler } from '@langevin/samplers/compat';
import type { Tensor } from '@langevin/tensor';
import { pictureDigest } from './picture-digest.ts';
import type { CheckedGenerate } from './options.ts';

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
  readonly start?: { readonly sha256: readonly string[]; readonly strength: number };
  readonly clipSkip: number | null;
  readonly scheduler: Readonly<Record<string, unknown>>;
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
  }: { readonly scheduler: DiffusersScheduler<Tensor>; readonly calls: number; readonly notes: readonly string[] },
): Promise<GenerateReport> {
  const { model, prompts, negatives, seeds, noise, size, steps, guidance, guidanceRescale, eta, clipSkip, start } = options;
  const sha256 = start && (await Promise.all(start.pictures.map(pictureDigest)));
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
    ...(start && sha256 && { start: { sha256, strength: start.strength } }),
    clipSkip: clipSkip ?? null,
    scheduler: { _class_name: scheduler.className, ...scheduler.config },
    notes,
  });
}
