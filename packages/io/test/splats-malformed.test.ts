import { gzipSync } from 'node:zlib';
import { decodeSafetensors, encodeSafetensors } from '@langevin/io';
import { encodeSplats4d, encodeSplatScene4d, readSplats, readSplatScene4d, writeSplats } from '@langevin/io/splats';
import { fuzzSplats, syntheticCloud } from '@langevin/io/testing';
import { errorKind } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const NAMES = ['x', 'y', 'z', 'f_dc_0', 'f_dc_1', 'f_dc_2', 'opacity', 'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3'];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A PLY file with any header lines, and zeros for data. */
function ply({
  count = '1',
  format = 'format binary_little_endian 1.0',
  names = NAMES,
  before = [] as readonly string[],
  dataBytes = 56,
}): Uint8Array {
  const head = text(
    ['ply', format, ...before, `element vertex ${count}`, ...names.map((name) => `property float ${name}`), 'end_header', ''].join('\n'),
  );
  const bytes = new Uint8Array(head.length + dataBytes);
  bytes.set(head);
  return bytes;
}

function spz({ version = 3, count = 1, degree = 0, fraction = 12, flags = 0, dataBytes = 20 }): Uint8Array {
  const bytes = new Uint8Array(16 + dataBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x5053474e, true);
  view.setUint32(4, version, true);
  view.setUint32(8, count, true);
  bytes.set([degree, fraction, flags], 12);
  return bytes;
}

const gz = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));
const good = syntheticCloud({ count: 50, degree: 1, seed: 1 });
const goodSpz = await writeSplats(good, { format: 'spz' });
const compressed = (lines: readonly string[]): Uint8Array =>
  text(['ply', 'format binary_little_endian 1.0', ...lines, 'end_header', ''].join('\n'));
const PACKED = ['position', 'rotation', 'scale', 'color'].map((name) => `property uint packed_${name}`);

describe('a damaged or hostile file is refused with a message that says what is wrong', () => {
  const cases: readonly (readonly [name: string, bytes: Uint8Array, message: RegExp])[] = [
    [
      'PLY: 2^32 Gaussians in 1 kB',
      ply({ count: '4294967296' }),
      /is truncated: elements \(vertex: 4294967296\) need at least 240518168576 bytes of data, 56 are there/,
    ],
    ['PLY: a count beyond all numbers', ply({ count: '9'.repeat(40) }), /count="9+", which is no number/],
    ['PLY: a negative count', ply({ count: '-1' }), /count="-1", which is no number/],
    ['PLY: a cut in the data', ply({ dataBytes: 55 }), /is truncated: .* 55 are there/],
    ['PLY: no end of the header', ply({}).subarray(0, 200), /without end_header in its size=200 bytes/],
    ['PLY: a header bomb', text(`ply\n${'comment x\n'.repeat(200_000)}`), /header longer than limit=1048576 bytes/],
    [
      'PLY: 2,000 properties',
      ply({ names: [...NAMES, ...Array.from({ length: 2000 }, (_, i) => `p${i}`)] }),
      /more than 1024 PLY properties/,
    ],
    ['PLY: 100 elements', ply({ before: Array.from({ length: 100 }, (_, i) => `element e${i} 0`) }), /more than 32 PLY elements/],
    ['PLY: a list', ply({ before: ['element face 1', 'property list uchar int vertex_indices'] }), /has a list in PLY element="face"/],
    ['PLY: no format', ply({ format: 'comment none' }), /without a format line/],
    ['PLY: another format', ply({ format: 'format binary_middle_endian 1.0' }), /unknown PLY format="binary_middle_endian"/],
    ['PLY: an invented line', ply({ before: ['elephant'] }), /means nothing: "elephant"/],
    ['PLY: an invented type', ply({ before: ['element e 1', 'property quad q'] }), /not "type name": "quad q"/],
    ['PLY: a type from the prototype', ply({ before: ['element e 1', 'property constructor q'] }), /not "type name"/],
    ['PLY: a property twice', ply({ names: [...NAMES, 'x'] }), /PLY property="x" twice/],
    ['PLY: points', ply({ names: ['x', 'y', 'z'] }), /without properties=f_dc_0, .*It holds points or a mesh, not Gaussians/],
    ['PLY: no vertices', text('ply\nformat ascii 1.0\nelement face 0\nend_header\n'), /without the element "vertex"/],
    [
      'PLY: ten harmonics',
      ply({ names: [...NAMES, ...Array.from({ length: 10 }, (_, i) => `f_rest_${i}`)] }),
      /f_rest count=10, expected 0, 9, 24 or 45/,
    ],
    ['PLY: degree 4', ply({ names: [...NAMES, ...Array.from({ length: 72 }, (_, i) => `f_rest_${i}`)] }), /degree 4: f_rest count=72/],
    [
      'PLY: harmonics with a gap',
      ply({ names: [...NAMES, ...Array.from({ length: 9 }, (_, i) => `f_rest_${i + 1}`)] }),
      /lacks PLY property=f_rest_0/,
    ],
    ['PLY: a quaternion of zeros', ply({}), /invalid Gaussians: 1 of 1, .*quaternions\[0\]=\(0, 0, 0, 0\) is not a rotation/],
    [
      'PLY: text that is no number',
      text(`${new TextDecoder().decode(ply({ format: 'format ascii 1.0', dataBytes: 0 }))}1 2 3 four 5 6 7 8 9 10 11 12 13 14`),
      /value that is no number: "four"/,
    ],
    [
      'PLY: text that ends',
      text(`${new TextDecoder().decode(ply({ format: 'format ascii 1.0', dataBytes: 0 }))}1.0 2.0 3.0 4.00000000 5.000000`),
      /truncated: the text ends before the last number/,
    ],
    ['PLY: 10^15 empty rows', ply({ format: 'format ascii 1.0', before: ['element void 999999999999999'], dataBytes: 20 }), /is truncated/],

    ['packed PLY: no chunks', compressed(['element vertex 0', ...PACKED]), /element=chunk lacks properties=min_x/],
    [
      'packed PLY: a chunk too few',
      compressed([
        'element chunk 1',
        ...['x', 'y', 'z', 'scale_x', 'scale_y', 'scale_z'].flatMap((n) => [`property float min_${n}`, `property float max_${n}`]),
        'element vertex 257',
        ...PACKED,
      ]),
      /chunk count=1, expected 2 for vertex count=257/,
    ],

    ['.splat: half a record', new Uint8Array(48), /is of no known format|no multiple of 32/],

    [
      'SPZ: 2^32 - 1 Gaussians',
      gz(spz({ count: 2 ** 32 - 1 })),
      /claims more Gaussians than its size=\d+ bytes can hold: count=4294967295 of degree=0/,
    ],
    ['SPZ: the same, not compressed', spz({ count: 2 ** 32 - 1, degree: 3 }), /claims more Gaussians/],
    ['SPZ: a bomb', gz(spz({ count: 1, dataBytes: 30_000_000 })), /goes on after its count=1 Gaussians/],
    [
      'SPZ: a bomb that calls itself an extension',
      gz(spz({ count: 1, flags: 2, dataBytes: 30_000_000 })),
      /extensions of more than limit=1048576 bytes/,
    ],
    ['SPZ: compressed data cut off', goodSpz.subarray(0, goodSpz.length - 20), /is damaged: it cannot be inflated/],
    [
      'SPZ: compressed data changed',
      goodSpz.map((byte, i) => (i === 300 ? byte ^ 255 : byte)),
      /is damaged: it cannot be inflated|goes on after|truncated/,
    ],
    ['SPZ: fewer rows than the header says', gz(spz({ count: 3 })), /is truncated: it ends after/],
    ['SPZ: gzip of something else', gz(text('not Gaussians at all')), /gzip data without the SPZ magic number/],
    ['SPZ: version 0', spz({ version: 0 }), /SPZ version=0, known are 1 to 4/],
    ['SPZ: version 9', gz(spz({ version: 9 })), /SPZ version=9/],
    ['SPZ: degree 4', spz({ degree: 4 }), /degree=4. Save it with degree 3/],
    ['SPZ: degree 200', spz({ degree: 200 }), /degree=200/],
    ['SPZ: 200 bits behind the point', spz({ fraction: 200 }), /fractionalBits=200 of 24/],
    ['SPZ 4: cut in the header', spz({ version: 4, dataBytes: 0 }), /truncated inside its SPZ header: size=16/],
    ['SPZ 4: no streams', spz({ version: 4, dataBytes: 200 }), /streams=0, but its Gaussians of degree=0 need 5/],

    [
      '4D: another safetensors file',
      encodeSafetensors({ a: { dtype: 'float32', shape: [1], data: new Float32Array(1) } }, { metadata: { format: 'pt' } }),
      /is of no known format|format="pt"/,
    ],
  ];

  test.each(cases)('%s', async (_, bytes, message) => {
    const error: unknown = await readSplats(bytes).catch((thrown: unknown) => thrown);
    expect(errorKind(error), String(error)).toMatch(/user|unsupported/);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^\[io\/splats\] the given bytes/);
  });
});

test('4D: what the header promises must be there', async () => {
  const bytes = encodeSplats4d({ cloud: good, times: { start: 0, end: 1, loop: 'none' }, deformation: null });
  const replaced = async (from: string, to: string): Promise<unknown> => {
    const latin = new TextDecoder('latin1').decode(bytes.subarray(0, 1500));
    if (!latin.includes(from)) throw new Error(`no ${from}`);
    const changed = bytes.slice();
    const head = latin.replace(from, to);
    for (let i = 0; i < 1500; i++) changed[i] = head.charCodeAt(i);
    return readSplats(changed, { format: '4d' }).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
  };
  expect(await replaced('\\"count\\":50', '\\"count\\":51')).toMatch(
    /tensor static.means of another form: F32 \[50, 3\], expected F32 \[51, 3\]/,
  );
  expect(await replaced('\\"degree\\":1', '\\"degree\\":7')).toMatch(/header has the wrong form: degree/);
  expect(await replaced('"version":"1"', '"version":"3"')).toMatch(/version="3" of the 4D container, known are "1" and "2"/);
  expect(await replaced('\\"end\\":1', '\\"end\\":0')).toMatch(/impossible times: start=0, end=0/);
  expect(await replaced('static.means', 'static.meant')).toMatch(/static.means of another form: missing/);
});

test('4D scenes: what the header promises must be there', async () => {
  const asset = { cloud: good, times: { start: 0, end: 1, loop: 'none' }, deformation: null } as const;
  const bytes = encodeSplatScene4d({
    assets: [
      { ...asset, placement: { translation: [1, 2, 3], rotation: [0.5, 0.5, 0.5, 0.5], scale: 4 } },
      { ...asset, placement: {} },
    ],
  });
  const replaced = async (from: string, to: string): Promise<unknown> => {
    const latin = new TextDecoder('latin1').decode(bytes.subarray(0, 3000));
    if (!latin.includes(from) || to.length !== from.length) throw new Error(`no ${from}, or another length`);
    const changed = bytes.slice();
    const head = latin.replace(from, to);
    for (let i = 0; i < 3000; i++) changed[i] = head.charCodeAt(i);
    return readSplatScene4d(changed).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
  };
  expect(await replaced('assets.1.static.means', 'assets.1.static.means')).toBe(null);
  expect(await replaced('\\"count\\":50', '\\"count\\":51')).toMatch(
    /tensor assets.0.static.means of another form: F32 \[50, 3\], expected F32 \[51, 3\]/,
  );
  expect(await replaced('assets.1.static.means', 'assets.1.static.meant')).toMatch(/tensor assets.1.static.means of another form: missing/);
  expect(await replaced('\\"scale\\":4', '\\"scale\\":0')).toMatch(/header has the wrong form: assets.0.placement.scale/);
  expect(await replaced('\\"scale\\":4', '\\"scald\\":4')).toMatch(/header has the wrong form: assets.0.placement.scald/);
  expect(await replaced('[0.5,0.5,0.5,0.5]', '[0.0,0.0,0.0,0.0]')).toMatch(
    /assets\[0\] stands in a rotation that is none: rotation=\[0, 0, 0, 0\]/,
  );
  const { tensors, metadata } = decodeSafetensors(bytes);
  for (const name of ['assets.2.static.means', 'assets.0.means', 'static.means', 'deformation.a', 'assets.0.static.more']) {
    const stray = encodeSafetensors(
      { ...Object.fromEntries(tensors), [name]: { dtype: 'float32', shape: [1], data: new Float32Array(1) } },
      { metadata },
    );
    await expect(readSplatScene4d(stray)).rejects.toThrow(
      `has a tensor that belongs nowhere: "${name}". Names begin with assets.0.static. or assets.0.deformation.`,
    );
  }
  expect(await replaced('\\"assets\\"', '\\"assetz\\"')).toMatch(/header has the wrong form/);
});

describe('numbers that are none', () => {
  /** A PLY file whose rows 3 and 7 are broken, each in its way. */
  const broken = async (): Promise<Uint8Array> => {
    const bytes = await writeSplats(syntheticCloud({ count: 10, degree: 0, seed: 2 }), { format: 'ply', normals: 'none' });
    const view = new DataView(bytes.buffer, bytes.length - 10 * 56);
    view.setFloat32(3 * 56 + 4, Number.NaN, true); // y
    view.setFloat32(7 * 56 + 28, -Infinity, true); // a scale of 0: flat, and meant
    view.setFloat32(6 * 56 + 24, Infinity, true); // opacity of 1, and meant
    view.setFloat32(9 * 56 + 8, Infinity, true); // z
    return bytes;
  };

  test('are refused, with their number and the first one', async () => {
    await expect(readSplats(await broken())).rejects.toThrow(
      /invalid Gaussians: 2 of 10, the first one: means\[3\]\[1\]=NaN is not finite. Save it again, or read it with invalid: 'drop'/,
    );
  });

  test('or dropped and counted', async () => {
    const original = syntheticCloud({ count: 10, degree: 0, seed: 2 });
    const cloud = await readSplats(await broken(), { invalid: 'drop' });
    expect([cloud.count, cloud.metadata?.dropped]).toEqual([8, 2]);
    const kept = [0, 1, 2, 4, 5, 6, 7, 8];
    expect([...cloud.means]).toEqual(kept.flatMap((n) => [...original.means.subarray(3 * n, 3 * n + 3)]));
    expect(cloud.opacityLogits[kept.indexOf(6)]).toBe(16);
    expect(cloud.logScales[3 * kept.indexOf(7)]).toBeCloseTo(-126 * Math.LN2, 4);
  });
});

describe('mutated files give a valid cloud or an error of ours', () => {
  test.each(['ply', 'compressed-ply', 'splat', 'spz', '4d'])('%s, 300 files', async (format) => {
    const result = await fuzzSplats({ format, files: 300, seed: 20261123 });
    expect(result.failures).toEqual([]);
    // Both outcomes must occur, or the run would prove nothing.
    expect(result.accepted).toBeGreaterThanOrEqual(5);
    expect(result.refused).toBeGreaterThanOrEqual(100);
    expect(result.accepted + result.refused).toBe(300);
  });

  test('the same seed gives the same outcome', async () => {
    const run = (): Promise<{ accepted: number; refused: number }> => fuzzSplats({ format: 'ply', files: 60, seed: 5 });
    const [a, b] = [await run(), await run()];
    expect([a.accepted, a.refused]).toEqual([b.accepted, b.refused]);
  });
});
