import { cpuRasterizer, imageOf, trainSplats, type SplatScene } from '@langevin/gaussians';
import { loadScene } from '@langevin/gaussians/node';
import { encodeImage } from '@langevin/io/node';
import { expect, it } from 'vitest';
import { folderOf, ring, transformsJson } from './scene-inputs.ts';
import { blobs } from './tiny-scene.ts';

it('a scene in coordinates of a map is learned as well as the same one at the origin', async () => {
  const rasterizer = cpuRasterizer({ threads: 1 });
  const near = ring(9, { radius: 4 });
  const pictures: Record<string, Uint8Array> = {};
  for (const { name, camera } of near)
    pictures[name] = await encodeImage(imageOf((await rasterizer.render(blobs(), camera)).color, camera), { format: 'png' });
  const { means, count } = blobs();
  const learn = async (around: readonly [number, number, number]): Promise<number> => {
    const points = Array.from({ length: count }, (_, i) => [0, 1, 2].map((axis) => means[3 * i + axis]! + around[axis]!)) as [
      number,
      number,
      number,
    ][];
    const scene: SplatScene = await loadScene(
      await folderOf({ ...transformsJson.files({ shots: ring(9, { radius: 4, around }), points }), ...pictures }),
    );
    let psnr = 0;
    for await (const event of trainSplats({ scene, rasterizer, steps: 120, degree: 0 }))
      if (event.kind === 'evaluation') ({ psnr } = event);
    return psnr;
  };
  const [origin, map] = [await learn([0, 0, 0]), await learn([500_000, 5_000_000, 300])];
  await rasterizer.dispose();
  // Poses of a transforms.json differ in their last digits: 1e-9 of a unit.
  expect(Math.abs(map - origin)).toBeLessThan(0.05);
});
