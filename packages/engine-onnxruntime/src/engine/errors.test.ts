import { errorKind, traceGraph, exp, type Graph } from '@langevin/tensor';
import { expect, test } from 'vitest';
import { explainRuntimeError } from './errors.ts';

const graph: Graph = traceGraph((x) => exp(x!), [{ shape: [2, 3], dtype: 'float32' }]);
const explain = (message: string): Error => explainRuntimeError(new Error(message), { graph, device: 'cpu', doing: 'running' });

test('a failure of the runtime names the op of the graph, its value, its operands and the device', () => {
  const error = explain("Non-zero status code returned while running Exp node. Name:'exp_1.2' Status Message: something broke");
  expect(errorKind(error)).toBe('internal');
  expect(error.message).toContain('[engine-onnxruntime] running failed on cpu: op=exp (value 1), operands=float32[2, 3].');
  expect(error.message).toContain('something broke');
});

test('a kernel that is missing and memory that is short are no bugs', () => {
  expect(errorKind(explain('NOT_IMPLEMENTED : Could not find an implementation for Exp(13)'))).toBe('unsupported');
  const large = new Error('safeint.h:17 static void SafeIntExceptionHandler<OnnxRuntimeException>::SafeIntOnOverflow() Integer overflow');
  const onWasm = explainRuntimeError(large, { graph, device: 'wasm', doing: 'running' });
  expect([errorKind(onWasm), onWasm.message]).toEqual([
    'unsupported',
    '[engine-onnxruntime] running failed on wasm: out of memory at 1 nodes. WebAssembly has 4 GiB for everything. Use a smaller batch or '
      + 'shape, or checkpoint().',
  ]);
  expect(explain('std::bad_alloc').message).toContain('Use a smaller batch or shape, or checkpoint().');
});

test('without a node that reads indices, bounds are the bug that they seem', () => {
  expect(errorKind(explain('indices element out of data bounds, idx=3'))).toBe('internal');
});
