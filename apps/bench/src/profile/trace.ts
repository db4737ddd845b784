/** One kernel's run, as ONNX Runtime's profiler writes it. */
export interface KernelCall {
  /** The ONNX op, and `(blocked)` for kernels in the channel-blocked layout. */
  readonly kernel: string;
  /** The op of the graph that it was lowered from, or undefined for nodes that the runtime made. */
  readonly graphOp: string | undefined;
  readonly ms: number;
  /** Floating-point operations, for convolutions and products of matrices. */
  readonly flops: number;
  /** Of everything that it writes. */
  readonly outputBytes: number;
}

export interface TracedRun {
  readonly ms: number;
  readonly calls: readonly KernelCall[];
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

type TypedShapes = readonly Readonly<Record<string, readonly number[]>>[];

const KERNEL = '_kernel_time';
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'FusedMatMul', 'Gemm', 'FusedGemm']);
const REORDERS: ReadonlySet<string> = new Set(['ReorderInput', 'ReorderOutput']);

/** The runs in a trace, oldest first, each with its kernels. */
export function runsOf(trace: string): readonly TracedRun[] {
  const events = (JSON.parse(trace) as readonly TraceEvent[]).filter(({ dur }) => dur > 0);
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith(KERNEL));
  return events
    .filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
    .sort((a, b) => a.ts - b.ts)
    .map(({ ts, dur }) => ({ ms: dur / 1000, calls: kernels.filter((kernel) => kernel.ts >= ts && kernel.ts < ts + dur).map(kernelCall) }));
}

function kernelCall({ name, dur, args = {} }: TraceEvent): KernelCall {
  const op = String(args['op_name']);
  const node = name.slice(0, -KERNEL.length);
  const inputs = shapesOf(args['input_type_shape']);
  const [output] = shapesOf(args['output_type_shape']);
  return {
    kernel: op,
    graphOp: REORDERS.has(op) ? undefined : /^([a-zA-Z]+)_\d+(?:\.\d+)?$/.exec(node)?.[1],
    ms: dur / 1000,
    flops: output ? flopsOf(op, inputs, output) : 0,
    outputBytes: Number(args['output_size'] ?? 0),
  };
}

function shapesOf(value: unknown): readonly (readonly number[])[] {
  return Array.isArray(value) ? (value as TypedShapes).map((typed) => Object.values(typed)[0] ?? []) : [];
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function flopsOf(op: string, inputs: readonly (readonly number[])[], output: readonly number[]): number {
  const [a, b] = inputs;
  if (op === 'Conv' || op === 'FusedConv') return b ? 2 * product(output) * product(b.slice(1)) : 0;
  if (!PRODUCTS.has(op) || !a || a.length < 2 || output.length < 2) return 0;
  // Whichever operand is transposed, the last two axes of `a` are the rows of the result and the summed axis.
  return 2 * product(output) * (product(a.slice(-2)) / output.at(-2)!);
}
