// Runs in a page: draws with WebGPU for the test that opened it.
import { trainSplats, webgpuRasterizer, type Rasterizer, type SplatScene } from '@langevin/gaussians';
import { inBothPrecisions, randomScene } from '../../src/testing/random-scene.ts';

export type Numbers = Readonly<Record<string, readonly number[]>>;

/** What a page can be asked. Arrays come back as lists, which is how pages answer. */
export interface PageApi {
  /** The rasterizer's name, or why there is none. */
  readonly open: () => Promise<{ readonly name: string } | { readonly reason: string }>;
  readonly draw: (
    options: Parameters<typeof randomScene>[0],
  ) => Promise<{ readonly picture: Numbers; readonly gradients: Numbers; readonly again: boolean }>;
  /** Losses of the first steps of a training. */
  readonly train: (scene: SplatScene, steps: number) => Promise<readonly number[]>;
}

let rasterizer: Rasterizer;
const lists = (given: object): Numbers =>
  Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value instanceof Float32Array ? [[name, Array.from(value)]] : [])));

const api: PageApi = {
  open: async () => {
    try {
      rasterizer = await webgpuRasterizer();
      return { name: rasterizer.name };
    } catch (error) {
      return { reason: (error as Error).message };
    }
  },
  draw: async (options) => {
    const { gaussians, camera } = randomScene(options);
    const { single } = inBothPrecisions(gaussians);
    const rendering = await rasterizer.render(single, camera, { depth: 'accumulated' });
    const wave = (array: Float32Array): Float32Array => array.map((_, i) => Math.sin(1.7 * i));
    const gradients = await rasterizer.backward(rendering, {
      color: wave(rendering.color),
      alpha: wave(rendering.alpha),
      depth: wave(rendering.depth!),
    });
    const second = await rasterizer.render(single, camera, { depth: 'accumulated' });
    return {
      picture: lists(rendering),
      gradients: lists(gradients),
      again: second.color.every((value, i) => Object.is(value, rendering.color[i])),
    };
  },
  train: async (scene, steps) => {
    const losses: number[] = [];
    for await (const event of trainSplats({ scene: revived(scene), rasterizer, steps, degree: 0 }))
      if (event.kind === 'step') losses.push(event.losses['loss']!);
    return losses;
  },
};

/** Typed arrays arrive as lists. */
function revived(scene: SplatScene): SplatScene {
  const views = (given: SplatScene['train']): SplatScene['train'] =>
    given.map((view) => ({ ...view, image: { ...view.image, data: Uint8Array.from(view.image.data) } }));
  const { points } = scene;
  return {
    ...scene,
    train: views(scene.train),
    test: views(scene.test),
    ...(points && { points: { ...points, positions: Float32Array.from(points.positions), colors: Uint8Array.from(points.colors) } }),
  };
}

declare global {
  var langevin: PageApi | undefined;
}
globalThis.langevin = api;
