import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const count = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** What a training run computes, as its JSON file says it. Unknown keys are refused: a typo must not train the wrong thing for hours. */
const Schema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)),
  /** Decides weights, order, noise and everything else that is random. */
  seed: count(0, Number.MAX_SAFE_INTEGER),
  /** `name` of a data set and its options. */
  data: v.looseObject({ name: v.string() }),
  /** Mirror images left to right at random. */
  flip: v.optional(v.picklist(['none', 'horizontal']), 'none'),
  /** A network's configuration in the form of diffusers' `config.json`; `_class_name` chooses the backbone. */
  backbone: v.looseObject({ _class_name: v.string() }),
  /** The network sees squares of this many pixels a side as channels; its `in_channels` and `sample_size` are those of the patches. */
  patch: v.optional(count(1, 64), 1),
  /** Karras et al. 2022, table 1. */
  edm: v.optional(
    v.strictObject({
      sigmaData: v.optional(positive, 0.5),
      meanLogSigma: v.optional(v.pipe(v.number(), v.finite()), -1.2),
      stdLogSigma: v.optional(positive, 1.2),
    }),
    {},
  ),
  optimizer: v.strictObject({
    name: v.picklist(['adam', 'adamW']),
    learningRate: positive,
    betas: v.optional(v.tuple([share, share]), [0.9, 0.999]),
    /** @default the optimiser's own: 0 for adam, 0.01 for adamW */
    weightDecay: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
    /** Steps of linear rise at the start. */
    warmUp: v.optional(count(0, 1e7), 0),
    /** Steps over which the rate falls to zero along a cosine, those of the rise included; omit for a constant rate. */
    cosineSteps: v.optional(count(1, 1e9)),
  }),
  /** Gradients are scaled down to this norm; omit to leave them alone. */
  clipNorm: v.optional(positive),
  batchSize: count(1, 65536),
  /** Width of the moving average as a share of the run so far (Karras et al. 2024), or its half-life in images (Karras et al. 2022). */
  average: v.union([
    v.strictObject({ std: v.pipe(v.number(), v.gtValue(0), v.maxValue(0.28)) }),
    v.strictObject({ halfLifeImages: positive }),
  ]),
});

export type DiffusionTrainingConfig = v.InferOutput<typeof Schema>;

/**
 * Check a training configuration from outside.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong
 */
export function parseTrainingConfig(json: unknown, from?: string): DiffusionTrainingConfig {
  const parsed = v.safeParse(Schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue) ?? '(root)';
  const file = from === undefined ? '' : `, file=${from}`;
  throw new UserError(
    `[training/config] entry is not valid: ${path}=${JSON.stringify(issue.input) ?? 'nothing'}${file}. ${issue.message}.`,
  );
}
