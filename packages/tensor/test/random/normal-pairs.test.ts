import { afterEach, describe, expect, it, vi } from 'vitest';
import { wasmNormals } from '../../src/random/kernels.ts';
import { normalPairs, radiusOf, rotate, type CounterRange } from '../../src/random/normal-pairs.ts';

const identity = Uint32Array.of(0xdeadbeef, 0x12345678, 0xffffffff, 7);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('float32 normals of counters', () => {
  it('equal the formula to some roundings of float32, also at the ends of words and quadrants', () => {
    const words = [
      0,
      1,
      2,
      3,
      5,
      2 ** 12 + 1,
      2 ** 29 - 1,
      2 ** 29,
      2 ** 30,
      2 ** 31 - 1,
      2 ** 31,
      3037000499,
      3037000500,
      2 ** 32 - 2 ** 30,
      2 ** 32 - 2 ** 29,
      2 ** 32 - 3,
      2 ** 32 - 2,
      2 ** 32 - 1,
    ];
    const out = new Float32Array(2);
    for (const first of words) {
      // log1p keeps the digits of what is near 1.
      const below = (2 ** 32 - first - 0.5) / 2 ** 32;
      const radius = Math.sqrt(-2 * (below < 0.5 ? Math.log1p(-below) : Math.log((first + 0.5) / 2 ** 32)));
      // Conversion, quotient, polynomial, difference and root round once each, by 2^-24; the root halves what comes before.
      expect(Math.abs(radiusOf(first) / radius - 1)).toBeLessThan(2 ** -22);
      for (const second of words) {
        rotate(radiusOf(first), second, out);
        // Quarter turns are exact here too.
        const quadrant = Math.round(second / 2 ** 30);
        const angle = (second - quadrant * 2 ** 30) * ((2 * Math.PI) / 2 ** 32);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const [cosine, sine] = [
          [c, s],
          [-s, c],
          [-c, -s],
          [s, -c],
        ][quadrant % 4] as [number, number];
        expect(Math.abs(out[0]! - radius * cosine)).toBeLessThanOrEqual(radius * Math.abs(cosine) * 2 ** -21);
        expect(Math.abs(out[1]! - radius * sine)).toBeLessThanOrEqual(radius * Math.abs(sine) * 2 ** -21);
      }
    }
  });

  it('are the same bits in WebAssembly, wherever the counters begin and end', () => {
    const fill = wasmNormals();
    expect(fill).toBeDefined();
    for (const first of [0, 5, 2 ** 32 - 3, 2 ** 50 - 9]) {
      for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 4096, 4097, 9000]) {
        const range: CounterRange = { first, count, domain: 1, identity };
        const [fast, plain] = [new Float32Array(4 * count), new Float32Array(4 * count)];
        fill!(fast, range);
        normalPairs(plain, range);
        const [a, b] = [new Uint32Array(fast.buffer), new Uint32Array(plain.buffer)];
        expect(a.findIndex((word, i) => word !== b[i])).toBe(-1);
      }
    }
  });

  it('fall back to plain code where WebAssembly is missing or refused', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(wasmNormals()).toBeUndefined();
    vi.stubGlobal('WebAssembly', {
      Module: class {
        constructor() {
          throw new Error('refused by policy');
        }
      },
    });
    expect(wasmNormals()).toBeUndefined();
  });

  it('are these numbers, on every host', () => {
    const out = new Float32Array(8);
    normalPairs(out, { first: 3, count: 2, domain: 1, identity });
    expect([...new Uint32Array(out.buffer)].map((word) => word.toString(16))).toEqual([
      '3e282b3f',
      '3fb5e0ce',
      'bf5f4aa3',
      '3eba4296',
      'bc5ba5b9',
      'bf94cf7d',
      '3e50c394',
      '40083b1a',
    ]);
  });
});
