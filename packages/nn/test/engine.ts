import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbers, setDefaultEngine, tensorsOf } from '@langevin/tensor';
import { afterAll, beforeAll } from 'vitest';

/** Run the tests of a file on ONNX Runtime's CPU provider, with one thread: the tensors are small. */
export function onCpu(): void {
  beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
  afterAll(() => setDefaultEngine(undefined));
}

/** The elements of all tensors of a tree, one after the other. */
export async function flat(tree: unknown): Promise<number[]> {
  const parts: number[][] = [];
  for (const x of tensorsOf(tree)) parts.push(await numbers(x));
  return parts.flat();
}
