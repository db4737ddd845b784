import { allocateHost, dtypes, hostFromNumbers, itemSize, numbersFromHost, type DType } from '../dtype.ts';
import { compile } from '../compile.ts';
import type { Engine, EngineBuffer } from '../engine/engine.ts';
import { errorKind } from '../errors.ts';
import { numbers, realize, data as dataOf } from '../engine/realize.ts';
import { traceGraph } from '../graph/trace.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { add, mul } from '../ops/binary.ts';
import { full, ones, tensor } from '../ops/create.ts';
import { gather, gatherElements, scatterAdd, scatterElementsAdd } from '../ops/indexing.ts';
import { matmul } from '../ops/matmul.ts';
import { reshape } from '../ops/shaping.ts';
import { softmax } from '../ops/normalize.ts';
import { exp, neg } from '../ops/unary.ts';
import type { Tensor } from '../tensor.ts';
import { drawFor } from './draw.ts';

/** Something that every engine must do beside computing. `run` throws when it does not. */
export interface Behaviour {
  readonly name: string;
  readonly run: (engine: Engine) => Promise<void>;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function same<T extends number | bigint | string>(found: ArrayLike<T>, wanted: ArrayLike<T>, what: string): void {
  const show = (list: ArrayLike<T>): string => `[${Array.from(list).slice(0, 8).join(', ')}]`;
  const equal = found.length === wanted.length && Array.from(wanted).every((v, i) => Object.is(v, found[i]));
  check(equal, `${what}: found ${show(found)}, expected ${show(wanted)}`);
}

const F3: ValueInfo = { shape: [3], dtype: 'float32' };
const upload = (engine: Engine, values: readonly number[]): Promise<EngineBuffer> =>
  engine.upload(hostFromNumbers('float32', values), { shape: [values.length], dtype: 'float32' });
const download = async (engine: Engine, buffer: EngineBuffer): Promise<number[]> =>
  numbersFromHost(buffer.dtype, await engine.download(buffer));

/** Trace, compile, and run a function of [3] tensors on values. */
async function runOnce(
  engine: Engine,
  fn: (...inputs: readonly Tensor[]) => readonly Tensor[],
  ...values: readonly (readonly number[])[]
): Promise<number[][]> {
  const executable = await engine.compile(
    traceGraph(
      fn,
      values.map(() => F3),
      { composites: engine.composites },
    ),
  );
  const inputs = await Promise.all(values.map((list) => upload(engine, list)));
  const outputs = await executable.run(inputs);
  const lists = await Promise.all(outputs.map((buffer) => download(engine, buffer)));
  [...inputs, ...outputs].forEach((buffer) => buffer.dispose());
  await executable.dispose();
  return lists;
}

/** Awkward values of each dtype: extremes, signed zeros, infinities, subnormals. */
const AWKWARD: Readonly<Record<DType, readonly number[]>> = {
  float32: [0, -0, 1.5, -3.25, Infinity, -Infinity, NaN, 2 ** -149, 2 ** 127],
  float16: [0, -0, 1.5, Infinity, -Infinity, 2 ** -24, 65504],
  bfloat16: [0, -0, 1.5, Infinity, -Infinity, 2 ** -126, 2 ** 127],
  int32: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  int64: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  uint8: [0, 1, 127, 128, 255],
  bool: [0, 1, 1, 0],
};

const roundTrips: readonly Behaviour[] = dtypes.map((dtype) => ({
  name: `upload and download keep every bit: ${dtype}`,
  run: async (engine) => {
    const data = hostFromNumbers(dtype, AWKWARD[dtype]);
    const buffer = await engine.upload(data.slice(), { shape: [data.length], dtype });
    check(
      buffer.dtype === dtype && buffer.shape.length === 1 && buffer.shape[0] === data.length,
      'the buffer has another shape or dtype than was uploaded',
    );
    const back = await engine.download(buffer);
    check(back.constructor === data.constructor, `download gives ${back.constructor.name}, expected ${data.constructor.name}`);
    same<number | bigint>(back, data, 'downloaded');
    buffer.dispose();
  },
}));

const results: readonly Behaviour[] = [
  {
    name: 'an input may be an output',
    run: async (engine) => same((await runOnce(engine, (x) => [x!, neg(x!)], [1, 2, 3]))[0]!, [1, 2, 3], 'output that is an input'),
  },
  {
    name: 'an output may occur twice',
    run: async (engine) => {
      const [a, b] = await runOnce(
        engine,
        (x) => {
          const y = neg(x!);
          return [y, y];
        },
        [1, 2, 3],
      );
      same(a!, [-1, -2, -3], 'first');
      same(b!, [-1, -2, -3], 'second');
    },
  },
  {
    name: 'a constant may be an output',
    run: async (engine) => same((await runOnce(engine, (x) => [tensor([4, 5]), x!], [1, 2, 3]))[0]!, [4, 5], 'constant output'),
  },
  {
    name: 'an intermediate value may be an output',
    run: async (engine) => {
      const [a, b] = await runOnce(
        engine,
        (x) => {
          const y = mul(x!, 2);
          return [y, add(y, 1)];
        },
        [1, 2, 3],
      );
      same(a!, [2, 4, 6], 'intermediate');
      same(b!, [3, 5, 7], 'final');
    },
  },
  {
    name: 'unused inputs are accepted',
    run: async (engine) => same((await runOnce(engine, (_, y) => [neg(y!)], [1, 2, 3], [4, 5, 6]))[0]!, [-4, -5, -6], 'result'),
  },
  {
    name: 'each output has storage of its own',
    run: async (engine) => {
      const executable = await engine.compile(
        traceGraph(
          (x) => {
            const y = neg(x);
            return [x, y, y];
          },
          [F3],
        ),
      );
      const input = await upload(engine, [1, 2, 3]);
      const [copy, first, second] = await executable.run([input]);
      input.dispose();
      first!.dispose();
      same(await download(engine, copy!), [1, 2, 3], 'the input returned as an output, after the input was disposed of');
      same(await download(engine, second!), [-1, -2, -3], 'the second of two equal outputs, after the first was disposed of');
      copy!.dispose();
      second!.dispose();
      await executable.dispose();
    },
  },
  {
    name: 'download gives a copy',
    run: async (engine) => {
      const buffer = await upload(engine, [1, 2, 3]);
      ((await engine.download(buffer)) as Float32Array).fill(9);
      same(await download(engine, buffer), [1, 2, 3], 'second download');
      buffer.dispose();
    },
  },
  {
    name: 'scalars and empty tensors pass',
    run: async (engine) => {
      for (const shape of [[], [0], [2, 0, 3], [1, 1, 1, 1, 1]]) {
        const x = full(shape, 2);
        const y = mul(add(x, x), 3);
        const found = await numbers(y, { engine });
        same(
          found,
          found.map(() => 12),
          `shape [${shape.join()}]`,
        );
        check(found.length === y.size, `shape [${shape.join()}] has ${found.length} elements, expected ${y.size}`);
      }
    },
  },
];

const running: readonly Behaviour[] = [
  {
    name: 'repeated runs give the same bits and leave inputs alone',
    run: async (engine) => {
      const draw = drawFor('repeated runs');
      const inputs = [draw.smooth([17, 33]), draw.smooth([33, 9])];
      const executable = await engine.compile(traceGraph((a, b) => softmax(matmul(a!, b!)), inputs, { composites: engine.composites }));
      const buffers = await Promise.all(inputs.map(({ data, ...info }) => engine.upload(data.slice(), info)));
      const runs: ArrayLike<number>[] = [];
      for (let i = 0; i < 3; i++) {
        const [out] = await executable.run(buffers);
        runs.push((await engine.download(out!)) as Float32Array);
        out!.dispose();
      }
      same(runs[1]!, runs[0]!, 'second run');
      same(runs[2]!, runs[0]!, 'third run');
      same((await engine.download(buffers[0]!)) as Float32Array, inputs[0]!.data as Float32Array, 'first input');
      buffers.forEach((buffer) => buffer.dispose());
      await executable.dispose();
    },
  },
  {
    name: 'concurrent runs do not disturb each other',
    run: async (engine) => {
      const executable = await engine.compile(traceGraph((x) => mul(exp(x!), 2), [F3], { composites: engine.composites }));
      const inputs = await Promise.all(Array.from({ length: 8 }, (_, i) => upload(engine, [i / 4, -i / 4, 0])));
      const alone: number[][] = [];
      for (const input of inputs) alone.push(await download(engine, (await executable.run([input]))[0]!));
      const together = await Promise.all(inputs.map(async (input) => download(engine, (await executable.run([input]))[0]!)));
      together.forEach((list, i) => same(list, alone[i]!, `run ${i}`));
      inputs.forEach((input) => input.dispose());
      await executable.dispose();
    },
  },
  {
    name: 'results go into offered buffers, or fresh ones',
    run: async (engine) => {
      const executable = await engine.compile(traceGraph((x) => [add(x!, 1), mul(x!, 2)], [F3], { composites: engine.composites }));
      let state = await upload(engine, [0, 0, 0]);
      let spare: EngineBuffer | undefined;
      for (let step = 1; step <= 4; step++) {
        const [next, twice] = await executable.run([state], { outputs: [spare, undefined] });
        same(await download(engine, next!), [step, step, step], `state after step ${step}`);
        same(await download(engine, twice!), [2 * (step - 1), 2 * (step - 1), 2 * (step - 1)], `other output of step ${step}`);
        twice!.dispose();
        spare = state;
        state = next!;
      }
      state.dispose();
      spare?.dispose();
      await executable.dispose();
    },
  },
  {
    name: 'donated state of a compiled function',
    run: async (engine) => {
      const step = compile(
        (state: { readonly w: Tensor; readonly n: Tensor }, rate: Tensor) => ({ w: add(state.w, mul(state.w, rate)), n: add(state.n, 1) }),
        { donate: [0], engine, name: 'step' },
      );
      let state = { w: ones([2, 2]), n: tensor(0) };
      for (let i = 0; i < 5; i++) state = await step(state, 1);
      same(await numbers(state.w, { engine }), [32, 32, 32, 32], 'w');
      same(await numbers(state.n, { engine }), [5], 'n');
      check(step.counters().traces === 1, `traced ${step.counters().traces} times, expected once`);
      await step.dispose();
    },
  },
  {
    name: 'frozen parameters of a compiled function',
    run: async (engine) => {
      const layer = compile((w: Tensor, x: Tensor) => matmul(x, w), { freeze: [0], engine, name: 'layer' });
      const w = tensor([
        [1, 2],
        [3, 4],
      ]);
      same(await numbers(await layer(w, tensor([[1, 1]])), { engine }), [4, 6], 'first call');
      same(await numbers(await layer(w, tensor([[2, 0]])), { engine }), [2, 4], 'second call');
      same(await numbers(await layer(mul(w, 2), tensor([[1, 1]])), { engine }), [8, 12], 'other parameters');
      await layer.dispose();
    },
  },
  {
    name: 'realised tensors feed further graphs',
    run: async (engine) => {
      const x = add(tensor([1, 2, 3]), 1);
      const y = mul(x, 2);
      await realize([x, y], { engine });
      same(await numbers(add(x, y), { engine }), [6, 9, 12], 'sum of realised tensors');
      same(await numbers(reshape(x, [3, 1]), { engine }), [2, 3, 4], 'reshaped realised tensor');
      same((await dataOf(x, { engine })) as Float32Array, [2, 3, 4], 'first one again');
    },
  },
  {
    name: 'a large tensor passes',
    run: async (engine) => {
      const size = 1 << 18;
      const data = allocateHost('float32', size);
      for (let i = 0; i < size; i++) data[i] = i % 1000;
      const found = (await dataOf(add(tensor(data), 1), { engine })) as Float32Array;
      check(found.byteLength === size * itemSize('float32'), `size is ${found.length}`);
      const wrong = found.findIndex((v, i) => v !== (i % 1000) + 1);
      check(wrong < 0, `element ${wrong} is ${found[wrong]}`);
    },
  },
];

/** Runs what must be refused, and returns what it says. */
async function refusal(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (errorKind(error) === 'unsupported') throw error; // the op itself is refused
    check(errorKind(error) === 'user', `not a UserError: ${String(error)}`);
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

const REMEDY = 'Give indices in [0, 3); negative ones do not count from the end.';

const INDEXED: Readonly<Record<string, (index: Tensor) => Tensor>> = {
  gather: (index) => gather(tensor([1, 2, 3]), index),
  gatherElements: (index) => gatherElements(tensor([1, 2, 3]), index),
  scatterAdd: (index) => scatterAdd(ones([1]), index, { axis: 0, size: 3 }),
  scatterElementsAdd: (index) => scatterElementsAdd(ones([1]), index, { axis: 0, size: 3 }),
};

const refusing: readonly Behaviour[] = Object.entries(INDEXED).map(([op, apply]) => ({
  name: `an index out of range is refused: ${op}`,
  run: async (engine) => {
    for (const index of [-1, 3, 2 ** 31 - 1, -(2 ** 31)]) {
      const says = `[tensor/${op}] index is out of range: index=${index}, size=3. ${REMEDY}`;
      const indices = tensor(Int32Array.of(index));
      same([await refusal(() => numbers(apply(indices), { engine }))], [says], `index ${index} as an input`);
      const compiled = compile((i: Tensor) => apply(reshape(i, [1])), { engine });
      same(
        [await refusal(() => compiled(tensor(Int32Array.of(index), { shape: [1, 1] })))],
        [says],
        `index ${index} of a compiled function`,
      );
      await compiled.dispose();
      const constant = compile((x: Tensor) => mul(apply(indices), x), { engine });
      same([await refusal(() => constant(1))], [says], `index ${index} as a constant`);
      await constant.dispose();
    }
  },
}));

/** What is asked of an engine beside its ops. */
export const behaviours: readonly Behaviour[] = [...roundTrips, ...results, ...running, ...refusing];
