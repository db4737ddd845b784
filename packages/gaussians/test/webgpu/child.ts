// A process of its own, since the drivers that WebGPU finds are named in its environment: draws for the test that started it.
import { webgpuRasterizer, type GpuDevice, type Rasterizer, type Rendering } from '@langevin/gaussians';
import { errorKind } from '@langevin/tensor';
import { acquireDevice } from '../../src/webgpu/device.ts';
import type { Answer, Question } from './remote.ts';

const renderings = new Map<number, Rendering>();
let device: GpuDevice;
let rasterizer: Rasterizer;
let nextRendering = 0;

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'start': {
      ({ device } = await acquireDevice('accept'));
      rasterizer = await webgpuRasterizer({ device });
      return { name: rasterizer.name };
    }
    case 'render': {
      const rendering = await rasterizer.render(...question.arguments);
      renderings.set(nextRendering, rendering);
      return { number: nextRendering++, rendering };
    }
    case 'backward': {
      const rendering = renderings.get(question.number);
      // Another's rendering is one that this rasterizer does not know.
      return rasterizer.backward(rendering ?? ({ color: [], alpha: [] } as never), question.cotangents);
    }
    case 'photometric':
      return rasterizer.photometric!(question.request);
    case 'lose':
      device.destroy();
      await device.lost;
      return undefined;
    case 'dispose':
      await rasterizer.dispose();
      return undefined;
  }
}

process.on('message', ({ id, question }: { readonly id: number; readonly question: Question }) => {
  answer(question).then(
    (value) => process.send!({ id, value } satisfies Answer),
    (error: unknown) =>
      process.send!({
        id,
        kind: errorKind(error) ?? 'unknown',
        message: error instanceof Error ? error.message : String(error),
      } satisfies Answer),
  );
});
