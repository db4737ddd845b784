import { UserError } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';

/** A network that had a say in the training of another one. */
export interface TrainingInfluence {
  readonly name: string;
  /** SHA-256 of its weights. */
  readonly hash: string;
  /** How: its features in a loss or a discriminator, its outputs as a condition, its samples as data. */
  readonly role: 'loss' | 'discriminator' | 'condition' | 'teacher' | 'data';
}

/**
 * Refuses a judge that had a say in the training of what it judges: a model that was trained on a network's features gets better in them
 * whether or not its samples get better.
 *
 * @param judge what features come from
 * @param influences networks that the model was trained with, as its record names them
 * @throws UserError when the judge is one of them, by name or by hash
 * @example
 * const judge = { name: 'mnist-1', hash: 'a'.repeat(64) };
 * refuseDependentJudge(judge, [{ name: 'other', hash: 'b'.repeat(64), role: 'loss' }]); // => undefined
 */
export function refuseDependentJudge(
  judge: { readonly name: string; readonly hash: string },
  influences: readonly TrainingInfluence[],
): void {
  checkGiven('metrics/judge', 'an object', { judge });
  checkGiven('metrics/judge', 'a text', { 'judge.name': judge.name, 'judge.hash': judge.hash });
  checkGiven('metrics/judge', 'a list', { influences });
  for (const [i, influence] of influences.entries()) {
    checkGiven('metrics/judge', 'an object', { [`influences[${i}]`]: influence });
    const { name, hash } = influence;
    checkGiven('metrics/judge', 'a text', { [`influences[${i}].name`]: name, [`influences[${i}].hash`]: hash });
  }
  const found = influences.find(({ name, hash }) => (judge.hash !== 'none' && hash === judge.hash) || name === judge.name);
  if (found === undefined) return;
  throw new UserError(
    `[metrics/judge] judge is not independent: judge=${judge.name}, sha256=${judge.hash}, role=${found.role} in the training of what it is `
      + 'to judge. Choose another judge, of another architecture and seed.',
  );
}
