import { graphToOnnx } from '@langevin/engine-onnxruntime';
import {
  attention,
  conv,
  gelu,
  groupNorm,
  matmul,
  mul,
  silu,
  softmax,
  sub,
  traceGraph,
  valueAndGrad,
  mean,
  square,
  type Tensor,
} from '@langevin/tensor';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';

const F = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });

test('an exported graph has the given names, no contrib ops, and gives in ONNX Runtime what it means', async () => {
  const graph = traceGraph((x, w) => [softmax(matmul(x!, w!, { transposeB: true }))], [F([2, 3]), F([4, 3])]);
  const bytes = await graphToOnnx(graph, { inputNames: ['x', 'w'], outputNames: ['y'] });
  const session = await InferenceSession.create(bytes);
  expect(session.inputNames).toEqual(['x', 'w']);
  expect(session.outputNames).toEqual(['y']);
  const x = new OrtTensor('float32', new Float32Array([1, 0, 0, 0, 1, 0]), [2, 3]);
  const w = new OrtTensor('float32', new Float32Array(12).fill(1), [4, 3]);
  const { y } = await session.run({ x, w });
  expect(Array.from(y!.data as Float32Array)).toEqual(new Array(8).fill(0.25));
});

test('a whole training step is exported with standard ops', async () => {
  const loss = (w: Tensor, x: Tensor, s: Tensor): Tensor => {
    const h = gelu(silu(groupNorm(conv(x, w, { padding: 1 }), { groups: 2, scale: s, bias: s })));
    return mean(square(attention({ q: h, k: h, v: mul(h, 2) })));
  };
  const step = (...[w, x, s]: readonly Tensor[]): readonly Tensor[] => {
    const { value, grad } = valueAndGrad(loss)(w!, x!, s!);
    return [value, sub(w!, mul(grad, 0.1))];
  };
  const graph = traceGraph(step, [F([8, 8, 3, 3]), F([8, 8, 8, 8]), F([8])]);
  const text = new TextDecoder('latin1').decode(await graphToOnnx(graph));
  expect(text).not.toContain('com.microsoft');
  expect(new TextDecoder('latin1').decode(await graphToOnnx(graph, { contrib: 'allow' }))).toContain('com.microsoft');
});
