import * as v from 'valibot';
import { judgeRecordSchema } from '@langevin/metrics';

const { name, architecture, seed, batchSize } = judgeRecordSchema.entries;
const named = v.looseObject({ name: v.string() });

/** The recipe of a judge: `configs/judge-mnist.json`. */
export const judgeConfigSchema = v.strictObject({
  /** With a number that rises whenever the recipe changes. */
  name,
  /** Another one than that of any model that it is to judge. */
  seed,
  /** A data set and its options. */
  data: named,
  /** A data set to measure by, or the share of the data that is kept for it, with all pictures of a group together. */
  heldOut: v.union([v.strictObject({ share: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)) }), named]),
  /** What it learns: the value of an attribute, or which caption belongs to which picture. */
  answer: v.variant('kind', [
    v.strictObject({ kind: v.literal('classes'), attribute: v.string() }),
    v.strictObject({ kind: v.literal('captions'), width: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(4096)) }),
  ]),
  architecture,
  steps: v.pipe(v.number(), v.safeInteger(), v.minValue(4), v.maxValue(1e7)),
  batchSize,
  /** Highest of the run. */
  learningRate: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  weightDecay: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10)), 0.02),
  /** Pictures are moved by up to so many pixels. */
  shift: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(64)), 0),
  mirror: v.optional(v.picklist(['half', 'none']), 'none'),
});

export type JudgeConfig = v.InferOutput<typeof judgeConfigSchema>;
