import { tensorAlgebra } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { data, mul, scalar, tensor, torchGenerator, UserError } from '@langevin/tensor';
import { expect, test } from 'vitest';

test('tensors: an output of another shape in the second call of a step is refused, and the right one goes on', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const run = async (care: 'careful' | 'careless') => {
    const scheduler = fromDiffusersConfig({ _class_name: 'KDPM2AncestralDiscreteScheduler' }, { algebra: tensorAlgebra({ engine }) });
    const generator = torchGenerator(0);
    scheduler.setTimesteps(2);
    let x = tensor([
      [1, 2],
      [3, 4],
    ]);
    for (const t of scheduler.timesteps) {
      const output = mul(x, scalar(0.1));
      // Of as many elements, but of another shape.
      const wrong = tensor([[1, 2, 3, 4]]);
      if (care === 'careless') await expect(scheduler.step(wrong, t, x, { generator })).rejects.toThrow(UserError);
      ({ prevSample: x } = await scheduler.step(output, t, mul(x, scalar(0.9)), { generator }));
    }
    return [...(await data(x, { engine }))];
  };
  expect(await run('careless')).toEqual(await run('careful'));
});
