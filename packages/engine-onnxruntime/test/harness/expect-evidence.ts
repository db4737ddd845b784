import { expect } from 'vitest';
import type { Evidence } from './evidence.ts';

/** Nothing failed, and training did what it does on the CPU. */
export function expectEvidence(found: Evidence, onCpu: Pick<Evidence, 'losses' | 'weights'>): void {
  const failures = found.conformance.results
    .filter(({ status }) => status === 'fail')
    .map(({ row, check, ...rest }) => `${row}, ${check}: ${'error' in rest ? rest.error : ''}`);
  expect(failures).toEqual([]);
  expect(found.conformance.passed).toBeGreaterThan(200);
  expect(found.losses).toHaveLength(onCpu.losses.length);
  // Four steps of sums of about a thousand terms, in another order.
  found.losses.forEach((loss, i) => expect(Math.abs(loss - onCpu.losses[i]!)).toBeLessThan(1e-5 * onCpu.losses[i]!));
  found.weights.forEach((weight, i) => expect(Math.abs(weight - onCpu.weights[i]!)).toBeLessThan(1e-5));
}
