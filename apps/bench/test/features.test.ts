import { expect, test } from 'vitest';
import { featuresOf, plainFeatures } from '../src/samplers/features.ts';

test('features see colour and texture, whatever the size', () => {
  const flat = { width: 16, height: 16, channels: 3, data: new Uint8Array(16 * 16 * 3).fill(51) } as const;
  const features = featuresOf(flat);
  features.subarray(0, 192).forEach((value) => expect(value).toBeCloseTo(0.2, 12));
  features.subarray(192).forEach((value) => expect(value).toBe(0));
  const stripes = { ...flat, data: flat.data.map((_, i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 255)) };
  expect(
    featuresOf(stripes)
      .subarray(192)
      .every((value) => value > 0.5),
  ).toBe(true);
  expect(plainFeatures([flat, stripes])).toMatchObject({ count: 2, width: 240 });
});
