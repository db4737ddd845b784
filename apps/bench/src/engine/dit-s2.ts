import { dit, ditPresets, type DitParams } from '@langevin/backbones';
import { range, cast, tensor, torchGenerator, type Tensor } from '@langevin/tensor';

/** DiT-S/2 on random latents: 4x32x32, batch 8, 8 channels out. */
export function ditS2(): {
  readonly params: DitParams;
  readonly apply: (params: DitParams, ...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
  readonly target: Tensor;
} {
  const net = dit(ditPresets['DiT-S/2'], { init: 'torch' });
  const g = torchGenerator(0);
  const random = (...shape: number[]): Tensor => tensor(g.normal(shape.reduce((a, b) => a * b, 1)), { shape });
  return {
    params: net.init(g),
    apply: (params, ...[x, t, labels]) => net.apply(params, x!, t!, { conditions: { label: labels! } }),
    inputs: [random(8, 4, 32, 32), cast(range(8, { start: 10, step: 100 }), 'float32'), range(8)],
    target: random(8, 8, 32, 32),
  };
}
