import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

/** What each example must have printed: a figure that only a working program gives. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  '01-tensors.ts': /solution 3\.000, -1\.000 after 1 compilation/,
  '02-sample-without-an-engine.ts': /heun NFE=35 shares of the modes: 0\.[23]\d 0\.[45]\d 0\.[12]\d/,
  '03-train-a-denoiser.ts': /mean distance from the centre (0\.9|1\.0)\d, share within 0\.2 of the ring (0\.[89]\d|1\.00)/,
  '04-a-moving-scene.ts': /train: 117 views of 24x24 at 9 times\ntest: 7 views of 24x24 at 7 times\nthe top rises by 0\.50, sand by 0\.00/,
  '05-two-networks.ts': /numbers around (2\.[89]|3\.[012]) of deviation 0\.[3-7]; real .*\na run that is interrupted anywhere/,
  '06-low-rank-adapter.ts': /-> below 0\.001\na checkpoint has \d+ bytes, .*\na run that is interrupted anywhere/,
  '07-accumulate-gradients.ts': /losses (\d\.\d+) and \1\nafter the update weights are less than 1e-6 apart\na run that is interrupted/,
};

test('every example is listed here', () => {
  expect(readdirSync(new URL('../src', import.meta.url)).sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))(
  '%s runs and prints what it should',
  async (file, expected) => {
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => void printed.push(parts.join(' ')));
    try {
      await import(`../src/${file}`);
    } finally {
      log.mockRestore();
    }
    expect(printed.join('\n')).toMatch(expected);
  },
  120_000,
);
