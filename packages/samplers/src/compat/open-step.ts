import type { DetailedPrediction, NoiseInterval, Sampler, StepInput } from '@langevin/core';
import { InternalError } from '@langevin/tensor';
import { converse, type Question, type Turn } from './stepping.ts';

/**
 * A step of a solver that has begun: a value, which holds what it began with, what it has been told so far, and the noise that it has
 * drawn. A call takes it up where it stands, and leaves it as it is when it fails.
 */
export interface OpenStep<T> {
  readonly sampler: Sampler;
  readonly input: Omit<StepInput<T>, 'denoise' | 'detail' | 'noise'>;
  readonly answers: readonly DetailedPrediction<T>[];
  readonly drawn: readonly T[];
}

/** A step that is taken up. */
export interface ResumedStep<T> {
  /** What it asks next. */
  readonly question: Question<T>;
  readonly answer: (prediction: DetailedPrediction<T>) => Promise<Turn<T>>;
  /** All noise of the step so far. */
  readonly drawn: () => readonly T[];
}

/** Takes a step up: what it has heard is told again, and noise that it has drawn is drawn no second time. */
export async function resumeStep<T>(
  { sampler, input, answers, drawn }: OpenStep<T>,
  draw: (interval: NoiseInterval) => Promise<T>,
): Promise<ResumedStep<T>> {
  const draws = [...drawn];
  let count = 0;
  const noise = async (interval: NoiseInterval = { from: input.from, to: input.to }): Promise<T> => {
    const place = count++;
    return (draws[place] ??= await draw(interval));
  };
  const conversation = converse(sampler, { ...input, noise });
  let turn = await conversation.begin();
  for (const answer of answers) turn = await conversation.answer(answer);
  if ('output' in turn)
    throw new InternalError(
      `[samplers/compat] the solver ended a step without another evaluation: sampler=${sampler.name}, answers=${answers.length}. `
        + 'This is a bug in ours.',
    );
  return { question: turn.question, answer: conversation.answer, drawn: () => draws };
}
