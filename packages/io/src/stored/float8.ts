import { toFloat16Bits } from '@langevin/tensor';

/** How a float of 8 bits is put together: the exponent's bias and bits of the mantissa, and which patterns are no numbers. */
interface Layout {
  readonly mantissa: number;
  readonly bias: number;
  readonly special: 'nan-only' | 'ieee' | 'minus-zero';
}

/**
 * Floats of 8 bits (Micikevicius et al. 2022, arXiv:2209.05433; the FNUZ kinds: Noune et al. 2022, arXiv:2206.02915). All their values are
 * exact in float16.
 */
const LAYOUTS = {
  F8_E4M3: { mantissa: 3, bias: 7, special: 'nan-only' },
  F8_E5M2: { mantissa: 2, bias: 15, special: 'ieee' },
  F8_E4M3FNUZ: { mantissa: 3, bias: 8, special: 'minus-zero' },
  F8_E5M2FNUZ: { mantissa: 2, bias: 16, special: 'minus-zero' },
} as const satisfies Record<string, Layout>;

export type Float8 = keyof typeof LAYOUTS;

export function isFloat8(form: string): form is Float8 {
  return Object.hasOwn(LAYOUTS, form);
}

/** The number that a byte stands for. */
function valueOf(byte: number, { mantissa, bias, special }: Layout): number {
  if (special === 'minus-zero' && byte === 0x80) return NaN;
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte & 0x7f) >> mantissa;
  const fraction = byte & ((1 << mantissa) - 1);
  const top = (0x7f >> mantissa) as number;
  if (special === 'nan-only' && (byte & 0x7f) === 0x7f) return NaN;
  if (special === 'ieee' && exponent === top) return fraction === 0 ? sign * Infinity : NaN;
  const scale = 2 ** mantissa;
  return exponent === 0 ? sign * (fraction / scale) * 2 ** (1 - bias) : sign * (1 + fraction / scale) * 2 ** (exponent - bias);
}

/** The 256 numbers of a kind of floats of 8 bits, by their bytes. */
export function float8Values(form: Float8): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => valueOf(byte, LAYOUTS[form]));
}

/** Floats of 8 bits as bits of float16, without rounding. */
export function float8ToFloat16(bytes: Uint8Array, form: Float8): Uint16Array {
  const table = Uint16Array.from(float8Values(form), toFloat16Bits);
  const bits = new Uint16Array(bytes.length);
  for (let i = 0; i < bits.length; i++) bits[i] = table[bytes[i]!]!;
  return bits;
}

/**
 * Floats of 8 bits times scales: one for all, or one for each row.
 *
 * @param scales their number divides that of the bytes
 */
export function scaledFloat8(bytes: Uint8Array, form: Float8, scales: Float32Array): Float32Array {
  const table = float8Values(form);
  const values = new Float32Array(bytes.length);
  const row = values.length / scales.length;
  for (let r = 0, i = 0; r < scales.length; r++) for (const end = i + row; i < end; i++) values[i] = table[bytes[i]!]! * scales[r]!;
  return values;
}
