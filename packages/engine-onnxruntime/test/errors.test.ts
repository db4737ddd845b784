import { availableDevices, onnxruntimeEngine, type Device } from '@langevin/engine-onnxruntime';
import {
  cast,
  compile,
  errorKind,
  gather,
  gatherElements,
  mul,
  numbers,
  ones,
  scatterAdd,
  scatterElementsAdd,
  tensor,
  type Graph,
  type Tensor,
} from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const F2 = { shape: [2], dtype: 'float32' } as const;
const negate: Graph = {
  values: [F2, F2],
  inputs: [0],
  constants: [],
  nodes: [{ op: 'neg', params: {}, inputs: [0], outputs: [1] }],
  outputs: [1],
  key: 'negate',
};

async function messageOf(promise: Promise<unknown>): Promise<{ readonly kind: string | undefined; readonly message: string }> {
  try {
    await promise;
  } catch (error) {
    return { kind: errorKind(error), message: (error as Error).message };
  }
  throw new Error('expected a rejection');
}

describe('what the engine says', () => {
  test('of an unknown device', async () => {
    expect(await messageOf(onnxruntimeEngine({ device: 'tpu' as Device }))).toEqual({
      kind: 'user',
      message: '[engine-onnxruntime] unknown device: device=tpu. Here it is one of cpu, webgpu, cuda, dml, coreml, wasm.',
    });
  });

  test('of too many threads', async () => {
    expect((await messageOf(onnxruntimeEngine({ threads: 0 }))).message).toBe(
      '[engine-onnxruntime] threads is out of range: threads=0. Give an integer in [1, 1024].',
    );
  });

  test('of addresses that only a page needs', async () => {
    expect(await messageOf(onnxruntimeEngine({ wasmPaths: '/onnxruntime/' }))).toEqual({
      kind: 'user',
      message: '[engine-onnxruntime] wasmPaths is for pages: wasmPaths="/onnxruntime/". Leave it out in Node.',
    });
  });

  test('of a device that is not there: the reason is in the report and in the error', async () => {
    const reports = await availableDevices();
    expect(reports.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'wasm']);
    expect(reports.find(({ device }) => device === 'cpu')).toEqual({ device: 'cpu', available: true });
    const missing = reports.filter(({ available }) => !available);
    expect(missing.length).toBeGreaterThan(0);
    for (const { device, reason } of missing) {
      expect(reason, device).toMatch(/\w+/);
      expect((await messageOf(onnxruntimeEngine({ device }))).message).toContain(`device is not available: device=${device}.`);
    }
  });

  test('of a buffer that was disposed, of one that does not fit, of an executable that is gone', async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu' });
    const executable = await engine.compile(negate);
    const gone = await engine.upload(new Float32Array(2), F2);
    gone.dispose();
    expect((await messageOf(executable.run([gone]))).message).toContain('buffer was disposed: float32[2]');
    const long = await engine.upload(new Float32Array(3), { shape: [3], dtype: 'float32' });
    expect((await messageOf(executable.run([long]))).message).toContain('input 0 does not fit: expected float32[2], got float32[3]');
    await executable.dispose();
    const fits = await engine.upload(new Float32Array(2), F2);
    expect((await messageOf(executable.run([fits]))).message).toContain('executable was disposed');
    await engine.dispose();
  });

  test.each(['cpu', 'wasm'] as const)('of an index that was computed and is out of range, on %s', async (device) => {
    const engine = await onnxruntimeEngine({ device });
    const computed = (by: number): Tensor => cast(mul(tensor([by]), 1), 'int32');
    for (const [op, apply] of Object.entries({
      gather: (i: Tensor) => gather(ones([3]), i),
      gatherElements: (i: Tensor) => gatherElements(ones([3]), i),
      scatterAdd: (i: Tensor) => scatterAdd(ones([1]), i, { axis: 0, size: 3 }),
      scatterElementsAdd: (i: Tensor) => scatterElementsAdd(ones([1]), i, { axis: 0, size: 3 }),
    })) {
      for (const index of [-1, -3, 3]) {
        const { kind, message } = await messageOf(numbers(apply(computed(index)), { engine }));
        expect(kind).toBe('user');
        // The runtime's kernel of gatherElements does not say which index it met.
        const named = op === 'gatherElements' ? '' : `index=${index}, `;
        expect(message).toBe(
          `[tensor/${op}] index is out of range: ${named}size=3. Give indices in [0, 3); negative ones do not count from the end.`,
        );
      }
      expect(await numbers(apply(computed(2)), { engine })).toContain(1);
    }
    await engine.dispose();
  });

  test('of labels out of range, in a function that goes on working', async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu' });
    const embed = compile((table: Tensor, labels: Tensor) => mul(gather(table, labels), 2), { engine, freeze: [0] });
    const table = tensor([[1], [2], [3]]);
    const labels = (...of: number[]): Tensor => tensor(Int32Array.from(of));
    expect(await numbers(await embed(table, labels(2, 0)))).toEqual([6, 2]);
    expect(await messageOf(embed(table, labels(0, 3)))).toEqual({
      kind: 'user',
      message: '[tensor/gather] index is out of range: index=3, size=3. Give indices in [0, 3); negative ones do not count from the end.',
    });
    expect(await numbers(await embed(table, labels(1, 1)))).toEqual([4, 4]);
    await engine.dispose();
  });
});
