import { availableDevices, onnxruntimeEngine, type Device } from '@langevin/engine-onnxruntime';
import { errorKind, type Graph } from '@langevin/tensor';
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

  test('of an op that fails in the runtime: op, value, operands and device', async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu' });
    const x = { shape: [2, 3], dtype: 'float32' } as const;
    const i = { shape: [2], dtype: 'int32' } as const;
    const out = { shape: [2, 3], dtype: 'float32' } as const;
    const graph: Graph = {
      values: [x, i, out],
      inputs: [0, 1],
      constants: [],
      nodes: [{ op: 'gather', params: { axis: 0 }, inputs: [0, 1], outputs: [2] }],
      outputs: [2],
      key: 'gather',
    };
    const executable = await engine.compile(graph);
    const indices = await engine.upload(new Int32Array([0, 7]), i);
    const { message } = await messageOf(executable.run([await engine.upload(new Float32Array(6), x), indices]));
    expect(message).toContain('running failed on cpu: op=gather (value 2), operands=float32[2, 3], int32[2]');
    await engine.dispose();
  });
});
