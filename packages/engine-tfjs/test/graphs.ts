import { sizeOf } from '@langevin/tensor';
import type { DType, Engine, Graph, GraphNode, HostArray, PrimitiveName, PrimitiveParams, Shape, ValueInfo } from '@langevin/tensor';

export interface HostTensor extends ValueInfo {
  readonly data: HostArray;
}

export function f32(shape: Shape, data: ArrayLike<number>): HostTensor {
  return { shape, dtype: 'float32', data: Float32Array.from(data) };
}

export function i32(shape: Shape, data: ArrayLike<number>): HostTensor {
  return { shape, dtype: 'int32', data: Int32Array.from(data) };
}

export function flags(shape: Shape, data: ArrayLike<number>): HostTensor {
  return { shape, dtype: 'bool', data: Uint8Array.from(data) };
}

/** Numbers in (-1, 1) that look random and never change. */
export function wave(shape: Shape, seed = 1): HostTensor {
  return f32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin((i + 1) * 12.9898 * seed + seed)),
  );
}

/** A graph of one node. */
export function single<Op extends PrimitiveName>(
  op: Op,
  params: PrimitiveParams[Op],
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
): Graph {
  const inputIds = inputs.map((_, i) => i);
  const outputIds = outputs.map((_, i) => inputs.length + i);
  const node = { op, params, inputs: inputIds, outputs: outputIds } as unknown as GraphNode;
  const bare = ({ shape, dtype }: ValueInfo): ValueInfo => ({ shape, dtype });
  return {
    values: [...inputs, ...outputs].map(bare),
    inputs: inputIds,
    constants: [],
    nodes: [node],
    outputs: outputIds,
    key: `test-${op}`,
  };
}

/** Upload, run, download, free. */
export async function evaluate(engine: Engine, graph: Graph, inputs: readonly HostTensor[]): Promise<HostArray[]> {
  const executable = await engine.compile(graph);
  const buffers = await Promise.all(inputs.map((x) => engine.upload(x.data, { shape: x.shape, dtype: x.dtype })));
  const outputs = await executable.run(buffers);
  const data = await Promise.all(outputs.map((buffer) => engine.download(buffer)));
  [...buffers, ...outputs].forEach((buffer) => buffer.dispose());
  await executable.dispose();
  return data;
}

/** The result of one primitive as plain numbers. */
export async function apply<Op extends PrimitiveName>(
  engine: Engine,
  op: Op,
  { params, inputs, output }: { params: PrimitiveParams[Op]; inputs: readonly HostTensor[]; output: { shape: Shape; dtype?: DType } },
): Promise<number[]> {
  const [data] = await evaluate(engine, single(op, params, inputs, [{ shape: output.shape, dtype: output.dtype ?? 'float32' }]), inputs);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
