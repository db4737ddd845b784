import { describe, expect, it } from 'vitest';
import { whyUnusable } from './adapter.ts';
import type { Ort, OrtSession, OrtTensor } from './ort.ts';

/** A runtime whose sessions cannot be created, or can. */
function runtime(failure?: string): Ort {
  const session: OrtSession = { run: () => Promise.resolve({}), release: () => Promise.resolve() };
  const create = (): Promise<OrtSession> => (failure === undefined ? Promise.resolve(session) : Promise.reject(new Error(failure)));
  class FakeTensor implements OrtTensor {
    readonly type = 'float32';
    readonly dims = [1];
    readonly data = new Float32Array(1);
    readonly location = 'cpu';
    dispose(): void {}
  }
  return { InferenceSession: { create }, Tensor: FakeTensor, env: {} };
}

describe('why a device cannot be used', () => {
  it('is nothing when a first model runs', async () => {
    expect(await whyUnusable(runtime(), {})).toBeUndefined();
  });

  it.each([
    ['Failed to get GPU adapter', 'No WebGPU adapter was found: it takes a GPU'],
    [
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
      'install script of onnxruntime-node (`npm rebuild onnxruntime-node`, on Linux x64), and CUDA 12 and cuDNN 9',
    ],
    ['\n/build/x.cc:9 Run [ONNXRuntimeError] : 1 : FAIL : out of luck.\nat line 3', 'A first model failed there: FAIL : out of luck.'],
  ])('of "%s" says what to do', async (failure, reason) => {
    expect(await whyUnusable(runtime(failure), {})).toContain(reason);
  });
});
