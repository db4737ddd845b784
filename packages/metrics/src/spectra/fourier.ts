interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * The discrete Fourier transform along the first axis of complex numbers [n, ...rest], of any length, by the factors of the length (Cooley
 * and Tukey 1965, in Stockham's order, which needs no reversal of bits): fast where the length has small factors only. What lies behind
 * the first axis is transformed side by side.
 */
function fourier(x: Complex, n: number): Complex {
  const rest = x.re.length / n;
  let from = x;
  let done = 1;
  for (const factor of factorsOf(n)) {
    // Each subsequence of `done` numbers is transformed; `factor` of them become one. [done, n / done, rest] -> [done factor, left, rest].
    const part = (n / (done * factor)) * rest;
    const to = { re: new Float64Array(x.re.length), im: new Float64Array(x.re.length) };
    for (let k = 0; k < done * factor; k += 1) {
      for (let q = 0; q < factor; q += 1) {
        // The exponent is reduced before it is divided, so that long sequences lose no digits.
        const angle = (-2 * Math.PI * ((q * k) % (done * factor))) / (done * factor);
        const root = [Math.cos(angle), Math.sin(angle)] as const;
        addTurned(from, to, { root, from: ((k % done) * factor + q) * part, to: k * part, length: part });
      }
    }
    from = to;
    done *= factor;
  }
  return from;
}

interface Turn {
  /** What numbers are multiplied by: its real and its imaginary part. */
  readonly root: readonly [number, number];
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

function addTurned(a: Complex, b: Complex, { root: [c, s], from, to, length }: Turn): void {
  const { re, im } = a;
  const { re: sumRe, im: sumIm } = b;
  for (let i = 0; i < length; i += 1) {
    const x = re[from + i]!;
    const y = im[from + i]!;
    sumRe[to + i]! += x * c - y * s;
    sumIm[to + i]! += x * s + y * c;
  }
}

function factorsOf(n: number): readonly number[] {
  const factors: number[] = [];
  let left = n;
  for (let f = 2; f * f <= left; f += 1) {
    for (; left % f === 0; left /= f) factors.push(f);
  }
  return left > 1 ? [...factors, left] : factors;
}

/** |F|^2 / (width height) of a plane, [height, width], row-major: its sum is the sum of the squares of the plane. */
export function powerOf(plane: Float64Array, width: number): Float64Array {
  const height = plane.length / width;
  const down = fourier({ re: plane, im: new Float64Array(plane.length) }, height);
  const both = fourier({ re: turned(down.re, width), im: turned(down.im, width) }, width);
  const power = both.re.map((value, k) => (value ** 2 + both.im[k]! ** 2) / plane.length);
  return turned(power, height);
}

/** A plane with rows for columns. */
function turned(plane: Float64Array, width: number): Float64Array {
  const height = plane.length / width;
  const result = new Float64Array(plane.length);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) result[x * height + y] = plane[y * width + x]!;
  return result;
}
