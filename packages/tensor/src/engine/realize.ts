import { hostFromNumbers, isFloating, numbersFromHost, type HostArray } from '../dtype.ts';
import { shownValue } from '../check-number.ts';
import { UserError } from '../errors.ts';
import { buildGraph, type LeafRole } from '../graph/build.ts';
import { tensorOf } from '../ops/operands.ts';
import { Tensor, type Source } from '../tensor.ts';
import { executableFor } from './cache.ts';
import { defaultEngine } from './default-engine.ts';
import { requireEngine, type Engine, type EngineBuffer } from './engine.ts';
import { runStages, type RunGraph } from './run-stages.ts';
import { planStages } from './stages.ts';

export interface RealizeOptions {
  /** @default the engine that already holds one of the inputs, else the default engine */
  readonly engine?: Engine;
  /** Stops before the next part of the work: graphs that run are not interrupted, host code is told. */
  readonly signal?: AbortSignal;
}

function inputRole(leaf: Tensor): LeafRole {
  const source = Tensor.source(leaf);
  if (source.kind === 'placeholder') throw noValue(leaf, source);
  return { kind: 'input' };
}

/** Outside of compiled functions deferred elements are asked for once, however many graphs read them: a loss, then its gradient. */
function drawOnce(tensor: Tensor): void {
  const source = Tensor.source(tensor);
  if (source.kind === 'deferred') Tensor.setSource(tensor, { kind: 'host', data: source.provide() });
}

/** Which engine already holds data that these tensors need. */
function engineHolding(tensors: readonly Tensor[]): Engine | undefined {
  const seen = new Set<Tensor>();
  const stack = [...tensors];
  while (stack.length > 0) {
    const tensor = stack.pop()!;
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    const source = Tensor.source(tensor);
    if (source.kind === 'buffer') return source.engine;
    if (source.kind === 'op') stack.push(...source.node.inputs);
  }
  return undefined;
}

/**
 * Compute tensors together, in one run. Afterwards they hold their elements on the engine and have let go of their history; what they
 * share is computed once.
 *
 * Every tensor and number that the graph reads becomes an input, so that graphs which differ in values only are compiled once. Where host
 * code is called (`hostOp`), the graph is split: what it reads is run before it, what reads it after it.
 *
 * @throws UserError when no engine is installed
 */
export async function realize(tensors: readonly Tensor[], options: RealizeOptions = {}): Promise<void> {
  if (!Array.isArray(tensors))
    throw new UserError(`[tensor/realize] tensors are no list: tensors=${shownValue(tensors)}. Give them as [a, b].`);
  const pending = (tensors as readonly Tensor[]).filter((tensor, i) => needsRun(tensor) && tensors.indexOf(tensor) === i);
  if (pending.length === 0) return;
  if (options.engine !== undefined) requireEngine('tensor/realize', options.engine);
  const engine = options.engine ?? engineHolding(pending) ?? (await defaultEngine());
  options.signal?.throwIfAborted();
  const run: RunGraph = async (outputs, known) => {
    const { graph, inputs } = buildGraph(outputs, { composites: engine.composites, leafRole: inputRole, known });
    inputs.forEach(drawOnce);
    const executable = await executableFor(engine, graph);
    return executable.run(await Promise.all(inputs.map((input) => known.get(input) ?? bufferOf(input, engine))));
  };
  const plan = planStages(pending, engine.composites);
  if (plan) return runStages(plan, { engine, targets: pending, run, read: (leaf) => data(leaf, { engine }), signal: options.signal });
  const buffers = await run(pending, new Map());
  pending.forEach((tensor, i) => Tensor.setSource(tensor, { kind: 'buffer', engine, buffer: buffers[i]! }));
}

function needsRun(tensor: Tensor): boolean {
  const { kind } = Tensor.source(tensor);
  return kind === 'op' || kind === 'literal' || kind === 'deferred';
}

/** Whether a tensor's elements are there without an engine: on the host, in a file, or as one number. */
export function isStored(tensor: Tensor): boolean {
  const { kind } = Tensor.source(tensorOf('tensor/isStored', tensor));
  return kind === 'host' || kind === 'file' || kind === 'literal';
}

function noValue(tensor: Tensor, source: Source): UserError {
  if (source.kind === 'placeholder') {
    return new UserError(
      `[tensor/realize] tensor has no value while a function is being traced: ${source.name}. Return it from the compiled function `
        + 'and read the result.',
    );
  }
  const reason = source.kind === 'gone' ? source.reason : 'its value was lost.';
  return new UserError(`[tensor/realize] tensor is gone: ${tensor.toString()}, ${reason} Keep the result instead.`);
}

/** A leaf's elements on an engine, uploaded at its first use there. */
export async function bufferOf(tensor: Tensor, engine: Engine): Promise<EngineBuffer> {
  const source = Tensor.source(tensor);
  switch (source.kind) {
    case 'buffer': {
      if (source.engine === engine) return source.buffer;
      const buffer = await engine.upload(await source.engine.download(source.buffer), tensor);
      Tensor.setSource(tensor, { kind: 'buffer', engine, buffer });
      return buffer;
    }
    case 'host':
    case 'file': {
      if (source.uploaded?.engine === engine) return source.uploaded.buffer;
      const buffer = await engine.upload(source.kind === 'host' ? source.data : await source.slice.read(), tensor);
      source.uploaded = { engine, buffer };
      return buffer;
    }
    case 'literal':
      return engine.upload(literalData(tensor, source.value), tensor);
    case 'deferred':
      return engine.upload(source.provide(), tensor);
    case 'placeholder':
    case 'gone':
      throw noValue(tensor, source);
    case 'op':
      await realize([tensor], { engine });
      return bufferOf(tensor, engine);
  }
}

export function literalData(tensor: Tensor, value: number): HostArray {
  return hostFromNumbers(tensor.dtype, [isFloating(tensor.dtype) ? value : Math.trunc(value)]);
}

/**
 * The elements of a tensor as its typed array, row-major: a copy that the caller owns.
 *
 * @example
 * await data(add(scalar(1), 2)); // => Float32Array [3]
 */
export async function data(tensor: Tensor, options: RealizeOptions = {}): Promise<HostArray> {
  await realize([tensorOf('tensor/data', tensor)], options);
  const source = Tensor.source(tensor);
  if (source.kind === 'buffer') return source.engine.download(source.buffer);
  if (source.kind === 'host') return source.data.slice();
  if (source.kind === 'file') return source.slice.read();
  throw noValue(tensor, source);
}

/** The elements of a float32 tensor. @throws UserError for another dtype */
export async function float32Data(tensor: Tensor, options: RealizeOptions = {}): Promise<Float32Array> {
  if (tensorOf('tensor/data', tensor).dtype !== 'float32')
    throw new UserError(`[tensor/data] tensor is not float32: ${tensor.toString()}. Read it with data(), or cast() it.`);
  return (await data(tensor, options)) as Float32Array;
}

/** The elements of a tensor as plain numbers, whatever its dtype. */
export async function numbers(tensor: Tensor, options: RealizeOptions = {}): Promise<number[]> {
  const elements = await data(tensor, options);
  return numbersFromHost(tensor.dtype, elements);
}

/** The one element of a tensor. */
export async function item(tensor: Tensor, options: RealizeOptions = {}): Promise<number> {
  if (tensorOf('tensor/item', tensor).size !== 1)
    throw new UserError(`[tensor/item] tensor does not have exactly one element: ${tensor.toString()}. Select one, or reduce it.`);
  return (await numbers(tensor, options))[0]!;
}

/** Free a tensor's storage at once; garbage collection would do it later. Using it afterwards is an error. */
export function dispose(...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    const source = Tensor.source(tensor);
    if (source.kind === 'buffer') source.buffer.dispose();
    if (source.kind === 'host' || source.kind === 'file') source.uploaded?.buffer.dispose();
    Tensor.setSource(tensor, { kind: 'gone', reason: 'it was disposed.' });
  }
}
