import { splatRoundTrips } from '@langevin/io/testing';
import { expect, test } from 'vitest';

test('the table of round trips has every format that is written, each within its bound', async () => {
  const rows = await splatRoundTrips({ count: 500 });
  expect([...new Set(rows.map(({ format }) => format))].sort()).toEqual(['4d', 'ply', 'splat', 'spz, version 3', 'spz, version 4 (read)']);
  expect(rows.filter(({ error, bound }) => !(error <= bound))).toEqual([]);
  // Formats that round do round: a table of zeros would prove nothing.
  for (const { format, attribute, error, bound } of rows)
    if (bound > 0) expect(error, `${format}, ${attribute}`).toBeGreaterThan(bound / 100);
});
