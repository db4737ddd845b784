import { expect, test } from 'vitest';
import {
  allocateHost,
  data,
  dtypes,
  fromBfloat16Bits,
  fromFloat16Bits,
  hostFromNumbers,
  hostView,
  isHostArray,
  itemSize,
  numbersFromHost,
  tensor,
  toBfloat16Bits,
  toFloat16Bits,
} from '@langevin/tensor';

const isNaNBits = {
  float16: (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0,
  bfloat16: (bits: number) => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0,
};

test('all 65,536 bit patterns of both 16-bit floats round-trip', () => {
  const wrong: string[] = [];
  for (let bits = 0; bits < 65536; bits++) {
    const half = fromFloat16Bits(bits);
    const brain = fromBfloat16Bits(bits);
    if (isNaNBits.float16(bits) ? !Number.isNaN(half) || !isNaNBits.float16(toFloat16Bits(half)) : toFloat16Bits(half) !== bits)
      wrong.push(`float16 ${bits}`);
    if (isNaNBits.bfloat16(bits) ? !Number.isNaN(brain) || !isNaNBits.bfloat16(toBfloat16Bits(brain)) : toBfloat16Bits(brain) !== bits)
      wrong.push(`bfloat16 ${bits}`);
  }
  expect(wrong).toEqual([]);
});

test('the value between two neighbours rounds to the even one, others to the nearest', () => {
  for (const [to, from, last] of [
    [toFloat16Bits, fromFloat16Bits, 0x7bff],
    [toBfloat16Bits, fromBfloat16Bits, 0x7f7f],
  ] as const) {
    const wrong: number[] = [];
    for (let bits = 0; bits < last; bits++) {
      const [low, high] = [from(bits), from(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (Math.fround(middle) === middle && to(middle) !== even) wrong.push(bits);
      if (to(Math.fround(low + (high - low) / 4)) !== bits && Math.fround(low + (high - low) / 4) !== middle) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  }
});

test('overflow, underflow, known constants', () => {
  expect([toFloat16Bits(65519), toFloat16Bits(65520), toFloat16Bits(-1e9), toFloat16Bits(2 ** -25), toFloat16Bits(-0)]).toEqual([
    0x7bff, 0x7c00, 0xfc00, 0, 0x8000,
  ]);
  expect([fromFloat16Bits(0x3555), fromFloat16Bits(1), fromBfloat16Bits(0x4049)]).toEqual([0.333251953125, 2 ** -24, 3.140625]);
  expect([toBfloat16Bits(3.4e38), toBfloat16Bits(Infinity)]).toEqual([0x7f80, 0x7f80]);
});

test('numbers to host arrays and back', () => {
  for (const dtype of dtypes) {
    const values = dtype === 'bool' ? [0, 1, 1] : [0, 1, 100];
    const host = hostFromNumbers(dtype, values);
    expect(isHostArray(dtype, host)).toBe(true);
    expect(host.BYTES_PER_ELEMENT).toBe(itemSize(dtype));
    expect(numbersFromHost(dtype, host)).toEqual(values);
    expect(allocateHost(dtype, 4)).toHaveLength(4);
  }
});

test('integers out of range are refused with their value', () => {
  expect(() => hostFromNumbers('uint8', [256])).toThrow(
    '[tensor/dtype] value is not a valid uint8: value=256. Give an integer in [0, 255] or choose another dtype.',
  );
  expect(() => hostFromNumbers('bool', [2])).toThrow('not a valid bool: value=2');
  expect(() => hostFromNumbers('int32', [2 ** 31])).toThrow('not a valid int32');
  expect(() => hostFromNumbers('int64', [2 ** 53])).toThrow('not a valid int64');
  expect(() => hostFromNumbers('int32', [NaN])).toThrow('value=NaN');
});

test('views of bytes, aligned or not', () => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setFloat32(5, 1.5, true);
  expect([...hostView('float32', bytes.subarray(5, 9))]).toEqual([1.5]);
  expect(hostView('float32', bytes.subarray(4, 12)).buffer).toBe(bytes.buffer);
});

test('each typed array finds its dtype', async () => {
  expect(tensor(new Float32Array(2)).dtype).toBe('float32');
  expect(tensor(new Int32Array(2)).dtype).toBe('int32');
  expect(tensor(new BigInt64Array(2)).dtype).toBe('int64');
  expect(tensor(new Uint8Array(2)).dtype).toBe('uint8');
  expect(tensor(new Uint8Array([1]), { dtype: 'bool' }).dtype).toBe('bool');
  expect([...(await data(tensor([1.5], { dtype: 'float16' })))]).toEqual([0x3e00]);
});

test('what does not fit into memory is said with its size', () => {
  expect(() => allocateHost('float32', 2 ** 50)).toThrow(
    '[tensor/allocate] no room for a tensor: dtype=float32, elements=1125899906842624, 4194304.0 GiB in one array.',
  );
});
