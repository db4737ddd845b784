import { shownValue, UserError } from '@langevin/tensor';
import { FILES } from './begin-run.ts';
import type { Artifact, Evaluation, StepResult, Task } from './task.ts';

/** Tasks and stores come from outside: what they are, and what they give, is looked at before anything is kept of it. */
type Fields = Readonly<Record<string, unknown>>;

/** @throws UserError when a part of a task is missing, or is what no run can be kept with */
export function checkTask(task: unknown): void {
  const { init, step, config, data, mayChange = [], evaluate, close } = (isRecord(task) ? task : {}) as Fields;
  if (typeof init !== 'function' || typeof step !== 'function')
    throw new UserError(`[training/train] there is no task: task=${shownValue(task)}. Pass what defineTask() gives, or another task.`);
  checkJson(config, { entry: 'config', file: FILES.config });
  const fail = (entry: string, value: unknown, remedy: string): never => {
    throw new UserError(`[training/train] an entry of the task is not valid: ${entry}=${shownValue(value)}. ${remedy}`);
  };
  if (!Array.isArray(mayChange) || mayChange.some((name) => typeof name !== 'string'))
    fail('mayChange', mayChange, 'Give a list of dotted names of entries of its configuration.');
  for (const [name, value] of Object.entries({ evaluate, close }))
    if (value !== undefined && typeof value !== 'function') fail(name, value, 'Give a function, or leave it out.');
  if (data === undefined) return;
  if (!isRecord(data) || typeof data['difference'] !== 'function') fail('data', data, 'Give what describedData() gives, or leave it out.');
  checkJson((data as Fields)['description'], { entry: 'data.description', file: FILES.data });
}

function checkJson(value: unknown, { entry, file }: { readonly entry: string; readonly file: string }): void {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // Cycles, bigints: told with what is no JSON at all.
  }
  if (text !== undefined) return;
  throw new UserError(
    `[training/train] an entry of the task is no JSON: ${entry}=${shownValue(value)}. Give what ${file} can hold: numbers, text, flags, `
      + 'null, lists and objects of them.',
  );
}

/** @throws UserError when a step gave what is no result */
export function checkedResult<State>({ name }: Task<State>, result: StepResult<State>): StepResult<State> {
  const fail = (what: string): never => {
    throw new UserError(`[training/train] a step gave no result of a task: task=${name}, ${what}. Correct the task's step.`);
  };
  if (!isRecord(result)) fail(`result=${shownValue(result)}`);
  const { state, losses, norms = {}, measures = {}, streams = {}, items = {} } = result;
  if (state === undefined) fail('state=undefined');
  for (const [key, value] of Object.entries({ losses, norms, measures, streams, items })) {
    if (!isRecord(value)) fail(`${key}=${shownValue(value)}`);
  }
  if (Object.keys(losses).length === 0) fail('losses has no entry');
  const seen = new Set<string>([STEP]);
  for (const [key, value] of [losses, norms, measures].flatMap((numbers) => Object.entries(numbers))) {
    if (typeof value !== 'number') fail(`${key}=${shownValue(value)} is no number`);
    // They are in one line of the log.
    if (seen.has(key)) fail(key === STEP ? `${STEP} is the name of the number of the step` : `${key} is the name of two numbers`);
    seen.add(key);
  }
  for (const [key, position] of Object.entries(streams)) {
    const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
    if (!isRecord(position) || !isCount(position['epoch']) || !isCount(position['index']))
      fail(`stream ${key}=${isRecord(position) ? shownPosition(position) : shownValue(position)}`);
  }
  for (const [key, list] of Object.entries(items)) if (!Array.isArray(list)) fail(`items of ${key}=${shownValue(list)} are no list`);
  return result;
}

/** What a line of a log names its step. */
const STEP = 'step';

function shownPosition({ epoch, index }: Fields): string {
  return `{ epoch: ${shownValue(epoch)}, index: ${shownValue(index)} }`;
}

/** @throws UserError when an evaluation cannot be gone through */
export function checkIterable(task: string, given: unknown): asserts given is AsyncIterable<Evaluation> {
  if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given) return;
  throw new UserError(
    `[training/train] an evaluation is no async iterable: task=${task}, evaluation=${shownValue(given)}. Write async function*.`,
  );
}

/** @throws UserError when an evaluation gave neither numbers nor an artifact whose name is a file's */
export function checkedEvaluation(task: string, value: Evaluation): Evaluation {
  const fail = (what: string): never => {
    throw new UserError(`[training/train] an evaluation gave what cannot be kept: task=${task}, ${what}. Correct the task's evaluate.`);
  };
  if (!isRecord(value)) return fail(`result=${shownValue(value)}`);
  if (value.kind === 'numbers') {
    if (!isRecord(value.values)) fail(`values=${shownValue(value.values)}`);
    for (const [key, number] of Object.entries(value.values)) {
      if (typeof number !== 'number') fail(`${key}=${shownValue(number)} is no number`);
      if (key === STEP) fail(`${STEP} is the name of the number of the step`);
    }
    return value;
  }
  const { kind, content } = value;
  if (!['picture', 'film', 'table', 'text'].includes(kind)) fail(`kind=${shownValue(kind)} is none of numbers, picture, film, table, text`);
  if (typeof content !== 'string' && !ArrayBuffer.isView(content)) fail(`content=${shownValue(content)} is neither bytes nor text`);
  fileOf(value);
  return value;
}

/** The file of an artifact. Its name becomes a path, so it may not lead out of its folder. */
export function fileOf({ name, extension }: Artifact): string {
  const fits = typeof name === 'string' && /^[\w-]+(?:[./][\w-]+)*$/u.test(name) && /^[a-z0-9]{1,8}$/u.test(extension);
  // Disks take no more of a name.
  if (fits && `${name}.${extension}`.split('/').every((part) => part.length <= 255)) return `${name}.${extension}`;
  throw new UserError(
    `[training/train] an artifact has a name that is no file's: name=${shownValue(name)}, extension=${shownValue(extension)}. Use `
      + 'letters, digits, dashes and slashes, at most 255 of them in a part.',
  );
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
