import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conformanceRows, runConformance } from '@langevin/tensor/testing';
import { minimalEngine } from './minimal-engine.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('docs/adding-an-engine.md shows this very engine', () => {
  expect(read('../../../docs/adding-an-engine.md')).toContain(`\`\`\`ts\n${read('./minimal-engine.ts')}\`\`\`\n`);
});

test('it passes what it does not refuse', async () => {
  const rows = conformanceRows.filter(({ op }) => ['neg', 'exp', 'add', 'mul', 'reshape', 'sin'].includes(op));
  const { results } = await runConformance(minimalEngine(), { rows });
  expect(results.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(results.filter(({ status, check }) => status === 'pass' && check !== 'shape').length).toBeGreaterThan(10);
  expect(results.find(({ row, check }) => row === 'sin: vector' && check === 'value')).toMatchObject({
    status: 'unsupported',
    error: '[minimal] op has no kernel: op=sin. Use another engine.',
  });
});
