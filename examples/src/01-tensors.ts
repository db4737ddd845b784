// Lazy tensors: build a graph by calling functions, differentiate it, run it.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  compile,
  grad,
  jvp,
  matmul,
  mean,
  mul,
  numbers,
  printGraph,
  setDefaultEngine,
  square,
  sub,
  tensor,
  traceGraph,
  type Tensor,
} from '@langevin/tensor';

setDefaultEngine(await onnxruntimeEngine());

// Least squares: find w with x w = y.
const x = tensor([
  [1, 0],
  [0, 2],
  [1, 1],
]);
const y = tensor([[3], [-2], [2]]);
const loss = (w: Tensor): Tensor => mean(square(sub(matmul(x, w), y)));

// Nothing has run yet. This is the graph of the gradient, with every shape known:
console.log(printGraph(traceGraph((w) => grad(loss)(w!), [{ shape: [2, 1], dtype: 'float32' }])));

// Gradient descent, compiled at the first call; later calls only run. The rate is an input: changing it compiles nothing.
const descend = compile((w: Tensor, rate: Tensor) => ({ w: sub(w, mul(grad(loss)(w), rate)), loss: loss(w) }));
let w = tensor([[0], [0]]);
for (let i = 0; i < 200; i++) w = (await descend(w, 0.5)).w;
console.log('solution', (await numbers(w)).map((v) => v.toFixed(3)).join(', '), 'after', descend.counters().traces, 'compilation');

// Derivatives can be differentiated again: the Hessian of the loss times a direction, without forming the Hessian.
const { tangent } = jvp((v: Tensor) => grad(loss)(v), [w], [tensor([[1], [0]])]);
console.log('Hessian times (1, 0)', (await numbers(tangent)).map((v) => v.toFixed(3)).join(', '));
