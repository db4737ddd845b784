import { expect, it } from 'vitest';
import { normalBlocks32 } from '../../src/random/box-muller.ts';

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
