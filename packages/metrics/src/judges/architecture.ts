import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

const whole = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** What a judge's network of pictures is made of. */
export const architectureSchema = v.strictObject({
  /** 1: grey, 3: RGB. */
  channels: v.picklist([1, 3]),
  /** Height and width of the pictures. */
  side: whole(8, 1024),
  /** Features of each stage; every stage after the first halves height and width. The last number is the width of the features. */
  widths: v.pipe(v.array(whole(1, 4096)), v.minLength(1), v.maxLength(8)),
  /** Of the group norms; divides every width. */
  groups: whole(1, 256),
});

/** What a judge says of a picture beside its features. */
export const headSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('classes'),
    /** Names of the classes, by number. */
    classes: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.minLength(2), v.maxLength(100_000)),
  }),
  v.strictObject({
    kind: v.literal('captions'),
    /** Numbers of an embedding. */
    width: whole(1, 4096),
    /** Words that the judge knows, in the order of their rows; all others share row 0. */
    words: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(100))), v.minLength(1), v.maxLength(200_000)),
    /** Words of a caption that are looked at. */
    length: whole(1, 1024),
  }),
]);

export type JudgeArchitecture = v.InferOutput<typeof architectureSchema>;
export type JudgeHead = v.InferOutput<typeof headSchema>;

/** @throws UserError when stages do not fit the picture or the groups */
export function checkArchitecture(architecture: JudgeArchitecture): void {
  checkSchema(architectureSchema, { architecture });
  const { side, widths, groups } = architecture;
  const uneven = widths.find((width) => width % groups !== 0);
  if (uneven !== undefined)
    throw new UserError(`[metrics/judge] groups do not divide a width: groups=${groups}, width=${uneven}. Choose other ones.`);
  if (side < 2 ** widths.length * 2)
    throw new UserError(`[metrics/judge] picture is too small for the stages: side=${side}, stages=${widths.length}. Use fewer.`);
}

/** @throws UserError naming the entry that is wrong */
export function checkSchema(schema: v.GenericSchema, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const { success, issues } = v.safeParse(schema, value);
    if (success) continue;
    const path = v.getDotPath(issues[0]);
    throw new UserError(
      `[metrics/judge] ${name} is not well formed: ${path === null ? name : `${name}.${path}`}: ${issues[0].message}. Correct it.`,
    );
  }
}
