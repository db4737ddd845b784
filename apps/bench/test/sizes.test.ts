import { describe, expect, test } from 'vitest';
import { bundleSize, SIZE_CASES } from '../src/samplers/sizes.ts';

describe('what a program that samples weighs', () => {
  test.each(SIZE_CASES)('$name stays under its ceiling', async ({ code, ceiling }) => {
    const { gzip } = await bundleSize(code);
    expect(gzip).toBeGreaterThan(1000);
    expect(gzip).toBeLessThanOrEqual(ceiling);
  });
});
