import { samplerIdentities } from '@langevin/samplers/testing';
import { describe, expect, test } from 'vitest';

describe('methods that are one at some setting', () => {
  test.each(samplerIdentities())('$name', async ({ gap, tolerance }) => {
    expect(await gap()).toBeLessThanOrEqual(tolerance);
  });
});
