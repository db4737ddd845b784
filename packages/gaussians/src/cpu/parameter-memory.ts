import { errorKind } from '@langevin/tensor';
import { adamStep, RULE, type AdamStep } from '../optimizer/adam.ts';
import { NO_JOB } from './draw.ts';
import { CHUNK, FREE } from './layout.ts';
import { addressOf, floats, reserve } from './memory.ts';
import type { WasmMemory } from './platform.ts';
import type { Threads } from './threads.ts';

/** Bytes of a group of columns, as assembly/adam.ts has it. */
const GROUP_BYTES = 48;

/** Bytes for the groups of a step and the rule, in whole cache lines, behind what is held. */
const TABLE_BYTES = 1024;
const MOST_GROUPS = 16;

/** Most bytes that stay in the memory, of its 4 GiB: drawing needs the rest. */
const MOST_BYTES = 1.5 * 2 ** 30;

/** Copies arrays to the front of the memory; returns them there and the first byte after them, or undefined when there is no room. */
export function loadParameters(
  { memory }: Threads,
  arrays: readonly Float32Array[],
): { readonly arrays: readonly Float32Array[]; readonly end: number } | undefined {
  if (arrays.reduce((sum, { byteLength }) => sum + byteLength + 64, FREE) > MOST_BYTES) return undefined;
  const placed = room(memory, arrays);
  if (placed === undefined) return undefined;
  const { views, end } = placed;
  // Some may come from where others go.
  const values = arrays.map((array) => (addressOf(memory, array) === undefined ? array : array.slice()));
  for (const [i, view] of views.entries()) view.set(values[i]!);
  return { arrays: views, end };
}

/** Room at the front of the memory, unless it cannot grow so far. */
function room(
  memory: WasmMemory,
  arrays: readonly Float32Array[],
): { readonly views: readonly Float32Array[]; readonly end: number } | undefined {
  const space = reserve(memory);
  try {
    const addresses = arrays.map(({ length }) => space(4 * length));
    return { views: addresses.map((at, i) => floats(memory, at, arrays[i]!.length)), end: space(TABLE_BYTES - 64) + TABLE_BYTES };
  } catch (error) {
    if (errorKind(error) === 'unsupported') return undefined;
    throw error;
  }
}

/**
 * A step of Adam, by the kernels where everything lies in their memory, else here: the same bits.
 *
 * @param start what {@link loadParameters} returned as the end
 */
export async function stepAdam({ memory, run }: Threads, start: number, steps: readonly AdamStep[]): Promise<void> {
  const groups = steps.map(({ values, gradient, moments, columns, step }) => {
    const { rowLength, from, to, rate } = columns;
    const addresses = [values, gradient, moments.mean, moments.square].map((array) => addressOf(memory, array));
    return {
      rows: values.length / rowLength,
      words: [...addresses, rowLength, from, to],
      numbers: [rate / (1 - RULE.beta1 ** step), 1 / Math.sqrt(1 - RULE.beta2 ** step)],
    };
  });
  const count = groups[0]?.rows ?? 0;
  if (groups.length > MOST_GROUPS || groups.some(({ rows, words }) => rows !== count || words.includes(undefined))) {
    for (const step of steps) adamStep(step);
    return;
  }
  const table = start - TABLE_BYTES;
  for (const [i, { words, numbers }] of groups.entries()) {
    new Uint32Array(memory.buffer, table + GROUP_BYTES * i, 7).set(words as number[]);
    new Float64Array(memory.buffer, table + GROUP_BYTES * i + 32, 2).set(numbers);
  }
  const rule = table + GROUP_BYTES * MOST_GROUPS;
  new Float64Array(memory.buffer, rule, 5).set([RULE.beta1, 1 - RULE.beta1, RULE.beta2, 1 - RULE.beta2, RULE.epsilon]);
  const job = { ...NO_JOB, count, adamGroups: table, adamCount: groups.length, adamRule: rule };
  await run({ kind: 'adam', job, pieces: Math.ceil(count / CHUNK) });
}
