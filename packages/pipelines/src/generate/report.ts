import type { DiffusersScheduler } from '@langevin/samplers/compat';
import type { Tensor } from '@langevin/tensor';
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
  readonly clipSkip: number | null;
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** What a user should know: text that did not fit, sizes that were rounded. */
  readonly notes: readonly string[];
}

/** The report of a call. */
export function reportOf(
  options: CheckedGenerate,
  {
    scheduler,
    calls,
    notes,
  }: { readonly scheduler: DiffusersScheduler<Tensor>; readonly calls: number; readonly notes: readonly string[] },
): GenerateReport {
  const { model, prompts, negatives, seeds, noise, size, steps, guidance, guidanceRescale, eta, clipSkip } = options;
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
    clipSkip: clipSkip ?? null,
    scheduler: { _class_name: scheduler.className, ...scheduler.config },
    notes,
  });
}
