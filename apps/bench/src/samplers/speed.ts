import { defineDenoiser } from '@langevin/core';
import { arrayAlgebra, karras, edm, tensorAlgebra, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { samplers, imageNoise, parallelTrajectory, sample, trajectory } from '@langevin/samplers';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  cacheCounters,
  compile,
  counterGenerator,
  matmul,
  mul,
  reshape,
  silu,
  tensor,
  torchGenerator,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { describeMachine, type Machine } from '../machine.ts';
import { interleave, local } from '../measure.ts';
import { markdownTable } from '../table.ts';

const SHAPES = [
  [16, 3, 32, 32],
  [1, 4, 64, 64],
] as const;
/** One of each kind: no memory, two evaluations, history, noise. */
const MEASURED = ['ddim', 'heun', 'dpmpp-2m', 'unipc', 'euler-ancestral', 'dpmpp-2m-sde'] as const;
/** The measure: what a sampler may add to a denoiser of 50 ms. */
const BUDGET_MS = 0.5;

interface OverheadRow {
  readonly sampler: string;
  readonly shape: string;
  /** Milliseconds that the sampler adds to a step. */
  readonly ms: number;
  /** More compilations for 40 steps than for 20. */
  readonly moreCompilations: number;
}

export interface SamplersBench {
  readonly machine: Machine;
  readonly overhead: readonly OverheadRow[];
  /** Nanoseconds a number, in draws of 49,152 (16x3x32x32). */
  readonly normals: readonly { readonly name: string; readonly ns: number }[];
  readonly plain: readonly { readonly name: string; readonly ms: number }[];
  readonly parallel: {
    readonly steps: number;
    readonly window: number;
    readonly singleMs: number;
    readonly batchMs: number;
    readonly sequentialMs: number;
    readonly parallelMs: number;
    readonly calls: number;
    readonly difference: number;
  };
}

export async function runSamplersBench({
  threads,
  rounds,
  report,
}: {
  readonly threads: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}): Promise<SamplersBench> {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads });
  report('what a sampler adds to a step ...');
  const overhead: OverheadRow[] = [];
  for (const shape of SHAPES) for (const name of MEASURED) overhead.push(await stepOverhead(engine, name, shape));
  report('normals ...');
  const normals = await normalTimes(rounds);
  report('plain arrays ...');
  const plain = await plainArrays(rounds);
  report('ParaDiGMS ...');
  const parallel = await parallelGain(engine, rounds);
  await engine.dispose();
  return { machine: describeMachine(), overhead, normals, plain, parallel };
}

/** The time of a step over a denoiser that answers at once with a tensor that is already there. */
async function stepOverhead(engine: Engine, name: string, shape: readonly number[]): Promise<OverheadRow> {
  const sampler = samplers.create(name);
  const algebra = tensorAlgebra({ engine });
  const size = shape.reduce((a, b) => a * b);
  const x = tensor(torchGenerator(1).normal(size), { shape });
  const answer = tensor(torchGenerator(2).normal(size), { shape });
  const denoise = defineDenoiser<Tensor>({ nfe: 1, denoise: () => Promise.resolve(answer) });
  const run = async (steps: number): Promise<number> => {
    const start = performance.now();
    await sample({ sampler, denoise, x, levels: karras().levels(edm(), { steps }), noise: imageNoise({ seed: 0 }), algebra });
    return (performance.now() - start) / steps;
  };
  await run(20);
  const before = cacheCounters(engine).compilations;
  // Not counted: loops of JavaScript are compiled when they have run for a while.
  for (let k = 0; k < 3; k++) await run(40);
  const times: number[] = [];
  for (let k = 0; k < 15; k++) times.push(await run(40));
  return {
    sampler: name,
    shape: shape.join('x'),
    ms: times.sort((a, b) => a - b)[times.length >> 1]!,
    moreCompilations: cacheCounters(engine).compilations - before,
  };
}

async function normalTimes(rounds: number): Promise<SamplersBench['normals']> {
  const count = 16 * 3 * 32 * 32;
  const counter = counterGenerator({ seed: 1, stream: [0] });
  const torch = torchGenerator(1);
  const measured = await interleave(
    [
      local('counterGenerator', () => Promise.resolve(void counter.normal(count))),
      local('torchGenerator', () => Promise.resolve(void torch.normal(count))),
    ],
    { rounds: 30 * rounds, warmup: 100 },
  );
  return measured.map(({ name, medianMs }) => ({ name, ns: (medianMs * 1e6) / count }));
}

/** 1,000 steps of DDIM over a state of 4x64x64 with a denoiser that costs nothing. */
async function plainArrays(rounds: number): Promise<SamplersBench['plain']> {
  const levels = uniformLambda().levels(vpLinear(), { steps: 1000 });
  const ddim = samplers.create('ddim');
  const contestant = <T extends Float32Array | Float64Array>(name: string, make: () => T) => {
    const answer = make();
    const algebra = arrayAlgebra();
    return local(name, async () => {
      for await (const step of trajectory<Float32Array>({
        sampler: ddim,
        denoise: defineDenoiser<Float32Array>({ nfe: 1, denoise: () => Promise.resolve(answer as Float32Array) }),
        x: make() as Float32Array,
        levels,
        algebra,
      }))
        void step;
    });
  };
  const measured = await interleave(
    [
      contestant('Float32Array', () => new Float32Array(16_384).fill(0.3)),
      contestant('Float64Array', () => new Float64Array(16_384).fill(0.3)),
    ],
    { rounds: 3 * rounds },
  );
  return measured.map(({ name, medianMs }) => ({ name, ms: medianMs }));
}

/**
 * A denoiser whose time hardly grows with its batch: three wide layers, whose weights have to be read once for a batch of any size. Window
 * and tolerance are the paper's kind.
 */
async function parallelGain(engine: Engine, rounds: number): Promise<SamplersBench['parallel']> {
  const [inner, width, steps, window] = [3072, 4096, 100, 16];
  const generator = torchGenerator(3);
  const layer = (from: number, to: number): Tensor =>
    tensor(
      generator.normal(from * to).map((value) => value / Math.sqrt(from)),
      { shape: [from, to] },
    );
  const weights = [layer(inner, width), layer(width, width), layer(width, inner)] as const;
  const network = compile((w: typeof weights, y: Tensor) => mul(matmul(silu(matmul(silu(matmul(y, w[0])), w[1])), w[2]), 0.1), {
    freeze: [0],
    engine,
  });
  const algebra = tensorAlgebra({ engine });
  const denoise = defineDenoiser<Tensor>({
    nfe: 1,
    denoise: async (x) => reshape(await network(weights, reshape(x, [x.shape[0]!, inner])), x.shape),
  });
  const x = tensor(
    generator.normal(inner).map((value) => value * 80),
    { shape: [1, 3, 32, 32] },
  );
  const levels = karras().levels(edm(), { steps });
  const sampler = samplers.create('ddim');
  const at = levels[40]!;
  const batch = tensor(generator.normal(inner * window), { shape: [window, 3, 32, 32] });
  let calls = 0;
  let ends: { sequential?: Tensor; parallel?: Tensor } = {};
  const wait = async (value: Tensor): Promise<void> => algebra.realize([add(value, 0)]);
  const measured = await interleave(
    [
      local('single', async () => wait(await denoise(x, at))),
      local('batch', async () => wait(await denoise(batch, at))),
      local('sequential', async () => {
        ends = { ...ends, sequential: await sample({ sampler, denoise, x, levels, algebra }) };
      }),
      local('parallel', async () => {
        for await (const step of parallelTrajectory({ sampler, denoise, x, levels, algebra, window, tolerance: 0.1 })) {
          ({ calls } = step);
          ends = { ...ends, parallel: step.x };
        }
      }),
    ],
    { rounds, warmup: 1 },
  );
  const [a, b] = (await Promise.all([algebra.toHost(ends.sequential!), algebra.toHost(ends.parallel!)])).map((values) =>
    Array.from(values),
  ) as [number[], number[]];
  const difference = Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.reduce((sum, value) => sum + value ** 2, 0));
  await network.dispose();
  const ms = (name: string): number => measured.find((each) => each.name === name)!.medianMs;
  return {
    steps,
    window,
    singleMs: ms('single'),
    batchMs: ms('batch'),
    sequentialMs: ms('sequential'),
    parallelMs: ms('parallel'),
    calls,
    difference,
  };
}

export function samplersBenchMarkdown({ machine, overhead, normals, plain, parallel: p }: SamplersBench): string {
  return [
    '# Benchmarks: samplers',
    '',
    `Made by \`npm run bench -- samplers --write\` on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, `
      + `${machine.date}. Medians.`,
    '',
    '## What a sampler adds to a step',
    '',
    `Tensors on ONNX Runtime, a denoiser that answers at once. 1 % of a denoiser of 50 ms is ${BUDGET_MS} ms. "More compilations" `
      + 'counts those of runs of 40 steps after one of 20.',
    '',
    markdownTable(
      ['sampler', 'state', 'ms a step', 'of 50 ms', 'more compilations'],
      overhead.map(({ sampler, shape, ms, moreCompilations }) => [
        `\`${sampler}\``,
        shape,
        ms.toFixed(3),
        `${((100 * ms) / 50).toFixed(2)} %`,
        moreCompilations,
      ]),
    ),
    '',
    '## Normals',
    '',
    'Draws of 49,152 float32 numbers, as many as a state of 16x3x32x32 has.',
    '',
    markdownTable(
      ['generator', 'ns a number'],
      normals.map(({ name, ns }) => [`\`${name}\``, ns.toFixed(1)]),
    ),
    '',
    '## Plain arrays',
    '',
    '1,000 steps of DDIM over a state of 4x64x64, the denoiser free; to reach: 100 ms.',
    '',
    markdownTable(
      ['state', 'ms'],
      plain.map(({ name, ms }) => [name, ms.toFixed(0)]),
    ),
    '',
    '## ParaDiGMS',
    '',
    `A network of three wide layers (41.9 M weights): one image takes ${p.singleMs.toFixed(1)} ms, ${p.window} in a batch `
      + `${p.batchMs.toFixed(1)} ms. ${p.steps} steps of DDIM, window ${p.window}, tolerance 0.1:`,
    '',
    markdownTable(
      ['', 'ms', 'calls of the network'],
      [
        ['one step after another', p.sequentialMs.toFixed(0), p.steps],
        ['in parallel', p.parallelMs.toFixed(0), p.calls],
      ],
    ),
    '',
    `${(p.sequentialMs / p.parallelMs).toFixed(2)} times as fast; the results differ by ${(100 * p.difference).toFixed(2)} % of `
      + 'their size.',
    '',
  ].join('\n');
}
