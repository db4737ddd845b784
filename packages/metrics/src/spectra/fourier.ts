interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** The n-th roots of one, [n]: cosines and sines of -2 pi k / n. */
function rootsOf(n: number): Complex {
  return {
    re: Float64Array.from({ length: n }, (_, k) => Math.cos((-2 * Math.PI * k) / n)),
    im: Float64Array.from({ length: n }, (_, k) => Math.sin((-2 * Math.PI * k) / n)),
  };
}

/**
 * The discrete Fourier transform of complex numbers of any length, by the smallest factor of the length (Cooley and Tukey 1965): fast where
 * the length has small factors only.
 *
 * @param roots of a length that is a multiple of that of the numbers
 */
function fourier({ re, im }: Complex, roots: Complex): Complex {
  const n = re.length;
  if (n === 1) return { re, im };
  const factor = smallestFactor(n);
  const size = n / factor;
  const parts = Array.from({ length: factor }, (_, r) => {
    const every = (x: Float64Array): Float64Array => Float64Array.from({ length: size }, (__, k) => x[k * factor + r]!);
    return fourier({ re: every(re), im: every(im) }, roots);
  });
  const stride = roots.re.length / n;
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k += 1) {
    for (let r = 0; r < factor; r += 1) {
      const at = ((k * r) % n) * stride;
      const [c, s] = [roots.re[at]!, roots.im[at]!];
      const [a, b] = [parts[r]!.re[k % size]!, parts[r]!.im[k % size]!];
      out.re[k]! += a * c - b * s;
      out.im[k]! += a * s + b * c;
    }
  }
  return out;
}

function smallestFactor(n: number): number {
  for (let f = 2; f * f <= n; f += 1) if (n % f === 0) return f;
  return n;
}

/** |F|^2 / (width height) of a plane, [height, width], row-major: its sum is the sum of the squares of the plane. */
export function powerOf(plane: Float64Array, width: number): Float64Array {
  const height = plane.length / width;
  const [across, down] = [rootsOf(width), rootsOf(height)];
  const [re, im] = [new Float64Array(plane.length), new Float64Array(plane.length)];
  for (let y = 0; y < height; y += 1) {
    const row = fourier({ re: plane.slice(y * width, (y + 1) * width), im: new Float64Array(width) }, across);
    re.set(row.re, y * width);
    im.set(row.im, y * width);
  }
  const power = new Float64Array(plane.length);
  for (let x = 0; x < width; x += 1) {
    const column = (from: Float64Array): Float64Array => Float64Array.from({ length: height }, (_, y) => from[y * width + x]!);
    const done = fourier({ re: column(re), im: column(im) }, down);
    for (let y = 0; y < height; y += 1) power[y * width + x] = (done.re[y]! ** 2 + done.im[y]! ** 2) / plane.length;
  }
  return power;
}
