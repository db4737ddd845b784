import { shownValue } from '../check-number.ts';
import { checkDType, isFloating, isHostArray, type DType, type HostArray } from '../dtype.ts';
import { errorKind, UnsupportedError, UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { apply, type InputCotangents, type NodeParams, type OpDefinition, type OpNode, type VjpContext } from '../graph/node.ts';
import { checkShape, sameShape, showShape, sizeOf, type Shape } from '../shape.ts';
import { readOptions } from '../read-options.ts';
import { Tensor } from '../tensor.ts';

/** What host code may look at besides its inputs. */
export interface HostContext {
  /** From the call that asked for the values; stop when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * What a gradient rule of host code sees. `cotangents[i]` belongs to `outputs[i]` and is undefined where the loss does not depend on it.
 */
export interface HostGradientContext {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly cotangents: readonly (Tensor | undefined)[];
}

export interface HostOpOptions {
  /** For messages. */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  /** Shapes and dtypes of the results, known before they are computed. */
  readonly outputs: readonly { readonly shape: Shape; /** @default 'float32' */ readonly dtype?: DType }[];
  /**
   * The elements of the outputs from those of the inputs, row-major; the arrays it gets are its own. It is run once for all outputs and all
   * readers, when the first of them is realised.
   */
  readonly run: (inputs: readonly HostArray[], context: HostContext) => readonly HostArray[] | Promise<readonly HostArray[]>;
  /**
   * The cotangent of each input, undefined where the derivative is zero: tensors made of ops, often of another host op.
   *
   * @default derivatives are refused
   */
  readonly gradient?: (context: HostGradientContext) => readonly (Tensor | undefined)[];
}

interface HostCall {
  readonly options: HostOpOptions;
  readonly infos: readonly ValueInfo[];
  running?: Promise<readonly HostArray[]>;
  results?: readonly HostArray[];
}

/** Calls by the parameters of their nodes, which are plain data. */
const calls = new WeakMap<NodeParams['host'], HostCall>();

const callOf = (node: OpNode): HostCall => calls.get(node.params as NodeParams['host'])!;

const hostOpDefinition: OpDefinition<'host'> = {
  op: 'host',
  infer: (_, params) => calls.get(params)!.infos,
  vjp: (context) => pullBack(calls.get(context.params)!.options, context),
};

/**
 * Results of host code as tensors: JavaScript, a worker or a device of its own computes them when they are asked for, and losses made of
 * tensors are differentiated through it by its `gradient`. Graphs are split there: what comes before it is run first, what comes after it
 * last, each compiled and cached like any other graph.
 *
 * @throws UserError for shapes that are none; and when realised, naming the op, for results that do not fit, or an error of the host code
 *   (in `cause`)
 * @throws UnsupportedError when differentiated without a `gradient`, or inside of `compile`
 * @example
 * const x = tensor([1, 2]);
 * const [y] = hostOp({
 *   name: 'cube',
 *   inputs: [x],
 *   outputs: [x],
 *   run: ([data]) => [(data as Float32Array).map((v) => v ** 3)],
 *   gradient: ({ cotangents: [g] }) => [mul(g!, mul(3, mul(x, x)))],
 * });
 * await numbers(y!); // => [1, 8]
 */
export function hostOp(options: HostOpOptions): readonly Tensor[] {
  const { name, inputs, outputs } = readOptions('tensor/hostOp', options, ['name', 'inputs', 'outputs', 'run', 'gradient']);
  for (const [field, list] of Object.entries({ inputs, outputs })) {
    if (!Array.isArray(list)) throw new UserError(`[tensor/hostOp] ${field} are no list: ${field}=${shownValue(list)}. Give [a, b].`);
  }
  const infos = outputs.map((output) => {
    const { shape, dtype = 'float32' } = output instanceof Tensor ? output : readOptions('tensor/hostOp', output);
    checkDType('tensor/hostOp', dtype);
    checkShape(`tensor/hostOp ${String(name)}`, shape);
    return { shape, dtype };
  });
  if (infos.length === 0) throw new UserError(`[tensor/hostOp] host code has no outputs: name=${name}. Give the shape of at least one.`);
  const params: NodeParams['host'] = { name };
  calls.set(params, { options, infos });
  return apply(hostOpDefinition, inputs, params);
}

function pullBack({ name, gradient }: HostOpOptions, { inputs, outputs, cotangents }: VjpContext<'host'>): InputCotangents {
  let all: readonly (Tensor | undefined)[] | undefined;
  const pulled = (i: number): Tensor | undefined => {
    if (!gradient) {
      throw new UnsupportedError(
        `[tensor/hostOp] host code has no gradient rule: name=${name}. Give it a gradient, or wrap its inputs in stopGradient(). `
          + 'jvp() and gradients of gradients need rules that can be differentiated themselves.',
      );
    }
    if (!all) {
      all = gradient({ inputs, outputs, cotangents });
      if (all.length !== inputs.length)
        throw new UserError(
          `[tensor/hostOp] gradient rule gave ${all.length} cotangents: name=${name}, inputs=${inputs.length}. Return one for each `
            + 'input, undefined for zero.',
        );
    }
    const found = all[i];
    const { shape, dtype } = inputs[i]!;
    if (found && (!sameShape(found.shape, shape) || found.dtype !== dtype)) {
      throw new UserError(
        `[tensor/hostOp] gradient rule gave a cotangent that does not fit: name=${name}, input ${i} is `
          + `${dtype}${showShape(shape)}, its cotangent ${found.dtype}${showShape(found.shape)}. Shape and dtype must agree.`,
      );
    }
    return found;
  };
  return inputs.map((x, i) => (isFloating(x.dtype) ? () => pulled(i) : undefined));
}

/** Whether a node calls host code. */
export function isHostNode(node: OpNode): boolean {
  return node.definition.op === 'host';
}

/** What a host op gave, once it has run. */
export function hostResults(node: OpNode): readonly HostArray[] | undefined {
  return callOf(node).results;
}

/** Runs the host code of a node, unless it ran or is running; a failed run is not remembered. */
export function runHostOp(node: OpNode, inputs: () => Promise<readonly HostArray[]>, signal?: AbortSignal): Promise<readonly HostArray[]> {
  const call = callOf(node);
  call.running ??= inputs().then((arrays) => runOnce(call, arrays, signal));
  call.running.catch(() => delete call.running);
  return call.running;
}

async function runOnce(call: HostCall, inputs: readonly HostArray[], signal: AbortSignal | undefined): Promise<readonly HostArray[]> {
  const {
    options: { name, run },
    infos,
  } = call;
  let results: readonly HostArray[];
  try {
    results = await run(inputs, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = `[tensor/hostOp] host code failed: name=${name}. ${error instanceof Error ? error.message : String(error)}`;
    throw errorKind(error) === 'unsupported' ? new UnsupportedError(message, { cause: error }) : new UserError(message, { cause: error });
  }
  if (results.length !== infos.length)
    throw new UserError(
      `[tensor/hostOp] host code gave ${results.length} results: name=${name}, outputs=${infos.length}. Return one typed array for `
        + 'each output.',
    );
  infos.forEach(({ shape, dtype }, i) => {
    const found = results[i]!;
    if (!isHostArray(dtype, found) || found.length !== sizeOf(shape)) {
      throw new UserError(
        `[tensor/hostOp] host code gave the wrong data: name=${name}, output ${i} is ${found.constructor.name} of ${found.length}, `
          + `expected ${dtype}${showShape(shape)}. Return a matching typed array.`,
      );
    }
  });
  call.results = results;
  return results;
}
