import { shownValue } from './check-number.ts';
import { run } from './compile/run.ts';
import { identityOf, trace, type Specialization } from './compile/trace.ts';
import { defaultEngine } from './engine/default-engine.ts';
import { requireEngine, type Engine } from './engine/engine.ts';
import { UserError } from './errors.ts';
import { readOptions } from './read-options.ts';
import { Tensor } from './tensor.ts';
import { flattenTree, type FlatTree, type Leaf } from './tree.ts';

export interface CompileOptions {
  /** Positions of arguments whose tensors become constants of the graph: parameters, when sampling. Engines lay them out once. */
  readonly freeze?: readonly number[];
  /**
   * Positions of arguments whose storage is reused for results of the same shape and dtype: state, when training. A donated tensor
   * is gone after the call.
   */
  readonly donate?: readonly number[];
  /** @default the default engine */
  readonly engine?: Engine;
  /** For error messages and the debug switch. @default the function's name */
  readonly name?: string;
}

/** What a compiled function takes where the traced one takes a tensor: numbers become float32 scalars, inputs of the graph. */
export type Untraced<T> = T extends Tensor ? Tensor | number : T extends object ? { readonly [K in keyof T]: Untraced<T[K]> } : T;

export interface CompileCounters {
  readonly calls: number;
  /** Each is one run of the function and one compilation. */
  readonly traces: number;
}

export interface CompiledFunction<Args extends readonly unknown[], R> {
  (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }): Promise<R>;
  readonly counters: () => CompileCounters;
  /** Compile for arguments of these shapes without running. */
  readonly warm: (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }) => Promise<void>;
  /** Free the compiled graphs. */
  readonly dispose: () => Promise<void>;
}

const OPTIONS = ['freeze', 'donate', 'engine', 'name'] as const;

/** A misspelt option would change what a program costs, not what it gives, and so be noticed by nobody. */
function checkOptions(options: CompileOptions): void {
  readOptions('tensor/compile', options, OPTIONS);
  for (const key of ['freeze', 'donate'] as const) {
    const positions: unknown = options[key];
    if (positions === undefined || (Array.isArray(positions) && positions.every((each) => Number.isInteger(each) && each >= 0))) continue;
    throw new UserError(
      `[tensor/compile] ${key} is no list of positions: ${key}=${shownValue(positions)}. Give those of arguments, as in [0].`,
    );
  }
}

/**
 * A function that is traced and compiled at its first call with arguments of given shapes, and only run afterwards. Results are
 * realised when the promise resolves.
 *
 * Arguments are trees of tensors and numbers; strings, booleans and null are static: another value compiles anew. Numbers inside of
 * the function become part of the graph, as do tensors it closes over.
 *
 * @throws UserError at the first call when the function is wrong for the shapes, or no engine is installed
 * @example
 * const axpy = compile((a: Tensor, x: Tensor, y: Tensor) => add(mul(a, x), y));
 * const z = await axpy(2, ones([3]), ones([3]));
 * await numbers(z); // => [3, 3, 3]
 */
export function compile<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  options: CompileOptions = {},
): CompiledFunction<Args, R> {
  checkOptions(options);
  if (typeof fn !== 'function') throw new UserError(`[tensor/compile] there is no function to compile: fn=${shownValue(fn)}. Pass one.`);
  if (options.engine !== undefined) requireEngine('tensor/compile', options.engine);
  const name = options.name ?? (fn.name || 'anonymous function');
  const specializations = new Map<string, Promise<Specialization>>();
  const running = new Set<Promise<unknown>>();
  let calls = 0;
  let traces = 0;

  const specialize = async (args: readonly unknown[]): Promise<{ specialization: Specialization; leaves: readonly Leaf[] }> => {
    checkPositions(args.length, options);
    const flat = flattenTree(args);
    const engine = options.engine ?? (await defaultEngine());
    const frozen = frozenLeaves(flat, options.freeze ?? []);
    const key = signature(flat, frozen);
    let found = specializations.get(key);
    if (!found) {
      traces++;
      found = trace(fn, { flat, frozen, engine, name, ...(options.donate && { donate: options.donate }) });
      specializations.set(key, found);
      found.catch(() => specializations.delete(key));
    }
    return { specialization: await found, leaves: flat.leaves };
  };

  const compute = async (args: readonly unknown[]): Promise<R> => {
    const { specialization, leaves } = await specialize(args);
    return (await run(specialization, leaves, name)) as R;
  };

  const call = async (...args: readonly unknown[]): Promise<R> => {
    calls++;
    const computing = compute(args);
    running.add(computing);
    try {
      return await computing;
    } finally {
      running.delete(computing);
    }
  };

  return Object.assign(call as (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }) => Promise<R>, {
    counters: () => ({ calls, traces }),
    warm: async (...args: readonly unknown[]) => void (await specialize(args)),
    dispose: async () => {
      // What is being computed is not taken away from whoever waits for it.
      while (running.size > 0) await Promise.allSettled(running);
      const all = [...specializations.values()];
      specializations.clear();
      const compiled = await Promise.allSettled(all);
      await Promise.all(compiled.map((one) => (one.status === 'fulfilled' ? one.value.executable?.dispose() : undefined)));
    },
  });
}

/** A position that no argument has would leave what was to be frozen or donated as it is, and so be noticed by nobody. */
function checkPositions(count: number, options: CompileOptions): void {
  for (const key of ['freeze', 'donate'] as const) {
    const beyond = options[key]?.find((position) => position >= count);
    if (beyond === undefined) continue;
    throw new UserError(
      `[tensor/compile] ${key} names an argument that the call does not have: ${key}=${beyond}, arguments=${count}. `
        + 'Positions count from 0.',
    );
  }
}

function frozenLeaves(flat: FlatTree, freeze: readonly number[]): ReadonlySet<number> {
  const positions = new Set(freeze.map(String));
  return new Set(flat.names.flatMap((name, i) => (positions.has(name.split('.', 1)[0]!) ? [i] : [])));
}

function signature(flat: FlatTree, frozen: ReadonlySet<number>): string {
  return flat.leaves
    .map((leaf, i) => {
      if (leaf instanceof Tensor) return frozen.has(i) ? `#${identityOf(leaf)}` : `${flat.names[i]}:${leaf.dtype}${leaf.shape.join()}`;
      return typeof leaf === 'number' && !frozen.has(i) ? `${flat.names[i]}:n` : `${flat.names[i]}=${JSON.stringify(leaf) ?? 'undefined'}`;
    })
    .join('|');
}
