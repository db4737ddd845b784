import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { architectureSchema, checkArchitecture, headSchema } from './architecture.ts';

const text = v.pipe(v.string(), v.maxLength(10_000));

/** What a judge is and where it comes from: `judge.json` in its folder. */
export const judgeRecordSchema = v.strictObject({
  /** With the version of its recipe: `mnist-1`. */
  name: v.pipe(v.string(), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/u, 'kebab-case')),
  architecture: architectureSchema,
  head: headSchema,
  seed: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  steps: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  batchSize: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Names and options of the data that it was trained on, with their licences. */
  data: v.array(
    v.looseObject({
      data: text,
      options: v.record(v.string(), v.unknown()),
      licences: v.array(v.looseObject({ name: text, attribution: text })),
    }),
  ),
  /** What was measured of it, on pictures that it was not trained on: `accuracy`, `rPrecision`, `count`. */
  measured: v.record(v.string(), v.number()),
  /** SHA-256 of the file of its weights. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u, '64 hexadecimal digits')),
});

export type JudgeRecord = v.InferOutput<typeof judgeRecordSchema>;

/** @throws UserError naming the entry that is wrong */
export function parseJudgeRecord(value: unknown, from: string): JudgeRecord {
  const result = v.safeParse(judgeRecordSchema, value);
  if (!result.success) {
    const [issue] = result.issues;
    throw new UserError(
      `[metrics/judge] not the record of a judge: ${from}: ${v.getDotPath(issue) ?? 'all'}: ${issue.message}. Get it anew.`,
    );
  }
  checkArchitecture(result.output.architecture);
  return Object.freeze(result.output);
}
