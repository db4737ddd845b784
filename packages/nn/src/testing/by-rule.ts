import { mapTensors, mul, sqrt, square, stack, sum, tensor, type Shape, type Tensor } from '@langevin/tensor';

/** FNV-1a. */
function seedOf(name: string): number {
  let h = 2166136261;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 16777619) >>> 0;
  return h;
}

/** Numbers of variance 1 that follow from a name: `tooling/parity/by_rule.py` has the same rule, to the last bit. */
function uniform(name: string, count: number): Float64Array {
  const seed = seedOf(name);
  return Float64Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b9) + seed) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
    h = (h ^ (h >>> 16)) >>> 0;
    return (((h >>> 8) / 2 ** 24) * 2 - 1) * Math.sqrt(3);
  });
}

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** Numbers of variance 1 that follow from a name, in float32: inputs of golden networks. */
export const numbersOf = (name: string, shape: Shape): Tensor => tensor(Float32Array.from(uniform(name, sizeOf(shape))), { shape });

/** The weight of a name: scaled by its inputs, a scale around 1, or small. */
export function weightOf(name: string, shape: Shape): Tensor {
  const u = uniform(name, sizeOf(shape));
  const inputs = Math.sqrt(sizeOf(shape.slice(1)));
  const scaled = shape.length >= 2 ? u.map((v) => v / inputs) : name.endsWith('weight') ? u.map((v) => 1 + 0.2 * v) : u.map((v) => 0.1 * v);
  return tensor(Float32Array.from(scaled), { shape });
}

/** The tree of a template with the weights that follow from the name of a case and their own. */
export const weightsOf = <T>(template: T, caseName: string): T =>
  mapTensors(template, (place, _, name) => weightOf(`${caseName}/${name}`, place.shape));

/** [the product with numbers of variance 1, the norm] of a gradient. */
export function projected(caseName: string, name: string, gradient: Tensor): Tensor {
  const direction = numbersOf(`${caseName}/direction/${name}`, gradient.shape);
  return stack([sum(mul(gradient, direction)), sqrt(sum(square(gradient)))]);
}
