import { onnxruntimeEngine, type Device } from '@langevin/engine-onnxruntime';
import {
  add,
  compile,
  conv,
  float32Data,
  groupNorm,
  item,
  mean,
  mul,
  sigmoid,
  silu,
  square,
  sub,
  tensor,
  valueAndGrad,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { conformanceRows, engineBehaviours, runConformance, type ConformanceReport } from '@langevin/tensor/testing';

/** What a device did, as plain JSON: it crosses from a browser or another process into the test. */
export interface Evidence {
  readonly conformance: ConformanceReport;
  /** The loss before each of a few training steps. */
  readonly losses: readonly number[];
  /** A parameter after them. */
  readonly weights: readonly number[];
}

const ramp = (size: number, period: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => ((i * 7) % period) / period - 0.5);

interface Params {
  readonly [name: string]: Tensor;
}

function denoise(params: Params, x: Tensor): Tensor {
  const h = silu(
    groupNorm(conv(x, params['w1']!, { bias: params['b1']!, padding: 1 }), { groups: 2, scale: params['s']!, bias: params['t']! }),
  );
  return conv(mul(h, sigmoid(h)), params['w2']!, { padding: 1 });
}

/** A few steps of gradient descent on a small convolutional denoiser: every step runs where the last one left its results. */
export async function trainBriefly(engine: Engine): Promise<Pick<Evidence, 'losses' | 'weights'>> {
  const x = tensor(ramp(8 * 3 * 8 * 8, 23), { shape: [8, 3, 8, 8] });
  const y = tensor(ramp(8 * 3 * 8 * 8, 19), { shape: [8, 3, 8, 8] });
  const step = compile(
    (params: Params, input: Tensor, target: Tensor, rate: Tensor) => {
      const { value, grad } = valueAndGrad((p: Params) => mean(square(sub(denoise(p, input), target))))(params);
      return { loss: value, params: Object.fromEntries(Object.entries(params).map(([name, p]) => [name, sub(p, mul(rate, grad[name]!))])) };
    },
    { engine, donate: [0] },
  );
  let params: Params = {
    w1: tensor(ramp(16 * 3 * 9, 29), { shape: [16, 3, 3, 3] }),
    b1: tensor(ramp(16, 11), { shape: [16] }),
    s: add(tensor(ramp(16, 13), { shape: [16] }), 1),
    t: tensor(ramp(16, 7), { shape: [16] }),
    w2: tensor(ramp(3 * 16 * 9, 31), { shape: [3, 16, 3, 3] }),
  };
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const result = await step(params, x, y, 0.1);
    params = result.params;
    losses.push(await item(result.loss, { engine }));
  }
  return { losses, weights: Array.from(await float32Data(params['w1']!, { engine })).slice(0, 32) };
}

/** Prove a device. `rows` narrows the conformance rows, for devices that are emulated and slow. */
export async function gatherEvidence(device: Device, rows: RegExp = /./): Promise<Evidence> {
  const engine = await onnxruntimeEngine({ device });
  try {
    const conformance = await runConformance(engine, {
      rows: conformanceRows.filter(({ name }) => rows.test(name)),
      behaviours: engineBehaviours,
    });
    return { conformance, ...(await trainBriefly(engine)) };
  } finally {
    await engine.dispose();
  }
}
