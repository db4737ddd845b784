import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { COUNTS, gaussiansEvidence } from '../src/gaussians/evidence.ts';

test('a taste of the evidence holds', async () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const { failed, markdown, page } = await gaussiansEvidence({ root, report: () => {}, counts: COUNTS.quick });
  expect(markdown.split('\n').filter((line) => line.includes('**no**'))).toEqual([]);
  expect([failed, page]).toEqual([0, 'evidence-gaussians']);
  for (const heading of [
    'Pictures beside the reference',
    'central differences',
    'Closed forms',
    'PyTorch',
    'Threads',
    'Round trips',
    'Mutated files',
  ])
    expect(markdown).toMatch(new RegExp(`## .*${heading}`));
}, 120_000);
