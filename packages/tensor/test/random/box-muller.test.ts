import { torchGenerator } from '@langevin/tensor';
import { expect, it } from 'vitest';
import { normalBlocks32 } from '../../src/random/box-muller.ts';
import { wasmBlocks } from '../../src/random/torch-blocks.ts';

it('float32 normals equal the formula in float64, also at the ends of the uniforms and of the quadrants', () => {
  const top = 1 - 2 ** -24;
  const radii = [0, 2 ** -24, 2 ** -23, 2 ** -8, 0.25, 0.5, 0.5 + 2 ** -24, 0.75, 1 - 2 ** -10, top];
  const turns = [0, 2 ** -24, 0.125, 0.125 + 2 ** -24, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.999, top];
  for (const u of radii) {
    for (const v of turns) {
      const data = new Float32Array(16).fill(u, 0, 8).fill(v, 8);
      normalBlocks32(data, { start: 0, blocks: 1 });
      const radius = Math.sqrt(-2 * Math.log1p(-u));
      // The angle is rounded to float32 by design; the results are rounded once: half an ulp of a value below 8.
      const angle = Math.fround(Math.fround(2 * Math.PI) * v);
      expect(Math.abs(data[3]! - radius * Math.cos(angle))).toBeLessThan(radius * 2 ** -24 + 1e-10);
      expect(Math.abs(data[11]! - radius * Math.sin(angle))).toBeLessThan(radius * 2 ** -24 + 1e-10);
    }
  }
});

it('are the same bits in WebAssembly, for any number of blocks, and where all ends of radii meet all ends of angles', () => {
  const fast = wasmBlocks();
  expect(fast).toBeDefined();
  const ends = [
    0,
    1,
    2,
    3,
    2 ** 16,
    2 ** 21,
    2 ** 22,
    2 ** 23 - 1,
    2 ** 23,
    2 ** 23 + 1,
    2 ** 24 - 2 ** 21,
    2 ** 24 - 2 ** 16,
    2 ** 24 - 2,
    2 ** 24 - 1,
  ].map((word) => word * 2 ** -24);
  const pairs = ends.flatMap((radius) => ends.map((angle) => [radius, angle] as const));
  const met = new Float32Array(16 * Math.ceil(pairs.length / 8));
  pairs.forEach((pair, k) => pair.forEach((value, half) => (met[16 * (k >> 3) + 8 * half + (k & 7)] = value)));
  for (const uniforms of [met, ...[1, 3, 1023, 1024, 1025, 3000].map((blocks) => torchGenerator(blocks).uniform(16 * blocks))]) {
    const start = 5;
    const [a, b] = [0, 1].map(() => Float32Array.of(...new Float32Array(start), ...uniforms, 7)) as [Float32Array, Float32Array];
    const range = { start, blocks: uniforms.length / 16 };
    fast!(a, range);
    normalBlocks32(b, range);
    const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
    expect(x.findIndex((word, k) => word !== y[k])).toBe(-1);
  }
});
