import { type Camera, lookAt } from '@langevin/core';
import { cpuRasterizer, gaussiansFromPoints, lookedAt, pointsFromViews, turntable, type SceneView } from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { expect, it } from 'vitest';

const random = counterGenerator({ seed: 3, stream: [] });

/** Sixteen pictures of a ball of radius 1 in patches of random colours; what is empty is transparent, or black. */
async function views(transparent: boolean): Promise<readonly SceneView[]> {
  const count = 1200;
  const spots = Array.from({ length: count }, (_, i) => [1 - (2 * (i + 0.5)) / count, i * Math.PI * (3 - Math.sqrt(5))] as const);
  const positions = Float32Array.from(
    spots.flatMap(([up, around]) => [Math.sqrt(1 - up * up) * Math.cos(around), up, Math.sqrt(1 - up * up) * Math.sin(around)]),
  );
  const ball = gaussiansFromPoints(
    { count, positions, colors: Uint8Array.from(random.integers(3 * count, { low: 40, high: 256 })) },
    { degree: 0, opacity: 0.97, scale: 0.8 },
  );
  const rasterizer = cpuRasterizer({ threads: 1 });
  const out: SceneView[] = [];
  for (const [i, camera] of turntable({ centre: [0, 0, 0], radius: 1.2 }, { frames: 16, width: 72, height: 64 }).entries()) {
    const { color, alpha } = await rasterizer.render(ball, camera);
    const channels = transparent ? 4 : 3;
    const data = Uint8Array.from(
      { length: channels * alpha.length },
      (_, at) => 255 * Math.min(1, transparent && at % 4 === 3 ? alpha[at >> 2]! : color[3 * Math.floor(at / channels) + (at % channels)]!),
    );
    out.push({ name: `v${i}`, camera, image: { width: 72, height: 64, channels, data } });
  }
  await rasterizer.dispose();
  return out;
}

/** The share of points that lie by the surface, which the width of the Gaussians puts a little beyond 1. */
function bySurface(positions: ArrayLike<number>): number {
  let near = 0;
  for (let i = 0; i < positions.length; i += 3)
    if (Math.abs(Math.hypot(positions[i]!, positions[i + 1]!, positions[i + 2]!) - 1.1) < 0.15) near++;
  return near / (positions.length / 3);
}

// Against black, pixels of the rim have their colour half from what is behind.
it.each([
  ['transparent', true, 0.8],
  ['black', false, 0.4],
] as const)('points lie on the ball, before what is %s', async (_, transparent, least) => {
  const { count, positions } = pointsFromViews(await views(transparent), { count: 400, random });
  expect(count).toBeGreaterThan(200);
  expect(bySurface(random.uniform(3000).map((u) => 3 * u - 1.5))).toBeLessThan(0.25);
  expect(bySurface(positions)).toBeGreaterThan(least);
});

it('what is masked makes no points, and no place that it hides', async () => {
  const all = await views(true);
  const dark = all.map((view) => ({ ...view, mask: new Uint8Array(72 * 64) }));
  expect(() => pointsFromViews(dark, { count: 10, random })).toThrow(
    '[gaussians/initialise] photographs agree nowhere: views=16. Check the poses and masks, or use random points.',
  );
  expect(() => pointsFromViews(all.slice(1, 2), { count: 10, random })).toThrow('one view says nothing about distances: views=1.');
  expect(() => pointsFromViews(all, { count: 0, random })).toThrow('count is out of range: count=0. Pass an integer in 1..1000000.');
});

it('finds what cameras look at; those that look the same way, the place before them', () => {
  const eyes = [
    [3, 0, 0],
    [0, 2, 1],
    [1, 1, -4],
  ] as const;
  const cameras: Camera[] = eyes.map((eye) => lookAt({ width: 4, height: 4, fx: 4, fy: 4, cx: 2, cy: 2, eye, target: [0.3, -0.2, 0.5] }));
  lookedAt(cameras).forEach((value, axis) => expect(value).toBeCloseTo([0.3, -0.2, 0.5][axis]!, 4));
  expect(lookedAt([cameras[0]!]).every(Number.isFinite)).toBe(true);
});
