import { UnsupportedError, UserError } from '@langevin/tensor';

/** An array of bytes as an IDX file holds it. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const ELEMENT_NAMES: Readonly<Record<number, string>> = { 9: 'int8', 11: 'int16', 12: 'int32', 13: 'float32', 14: 'float64' };

/** Bytes of the header of an IDX file with this many dimensions. */
export function idxHeaderBytes(dimensions: number): number {
  return 4 + 4 * dimensions;
}

/** The largest header: MNIST needs 3 dimensions, colour images 4. */
export const MAX_IDX_HEADER_BYTES = idxHeaderBytes(4);

/**
 * Read the header of an IDX file of unsigned bytes (LeCun, "The MNIST database": two zero bytes, the element type, the
 * number of dimensions, then each as a big-endian 32-bit integer) and check that it announces at most `maxBytes`.
 *
 * @param bytes the start of the file
 * @throws {UserError} when the magic number is wrong, the header is cut or it announces too much
 * @throws {UnsupportedError} when the elements are not unsigned bytes
 */
export function parseIdxHeader(
  bytes: Uint8Array,
  { label, maxBytes }: { readonly label: string; readonly maxBytes: number },
): { readonly shape: readonly number[]; readonly fileBytes: number } {
  const where = `[io/data] idx file ${label}`;
  const dimensions = bytes[3] ?? 0;
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || dimensions < 1 || dimensions > 4) {
    const magic = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new UserError(
      `${where} does not start like one: magic=${magic || 'none'}, wanted 00 00 08 and 1 to 4 dimensions. Check that it is the right file.`,
    );
  }
  if (bytes[2] !== 8) {
    const name = ELEMENT_NAMES[bytes[2]!];
    if (name !== undefined) throw new UnsupportedError(`${where} holds ${name} elements; only unsigned bytes are read. Convert it.`);
    throw new UserError(`${where} has an unknown element type=${bytes[2]}. It is damaged or not an IDX file.`);
  }
  const header = idxHeaderBytes(dimensions);
  if (bytes.length < header)
    throw new UserError(`${where} is truncated inside its header: size=${bytes.length} bytes, ${header} needed. Download it again.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  // Up to four factors below 2^32: past 2^53 the product rounds, but stays far above any limit.
  const size = shape.reduce((product, side) => product * side, 1);
  if (size > maxBytes)
    throw new UserError(
      `${where} announces shape=[${shape.join(', ')}] = ${size} bytes, limit=${maxBytes}. It is damaged, or too large to load whole.`,
    );
  return { shape, fileBytes: header + size };
}

/** Read a whole IDX file of unsigned bytes. @throws {UserError} when it is not exactly as long as its header says */
export function parseIdx(bytes: Uint8Array, options: { readonly label: string; readonly maxBytes: number }): IdxArray {
  const { shape, fileBytes } = parseIdxHeader(bytes, options);
  if (bytes.length !== fileBytes) {
    throw new UserError(
      `[io/data] idx file ${options.label} has the wrong size: shape=[${shape.join(', ')}] needs ${fileBytes} bytes, it has `
        + `${bytes.length}. It is truncated or damaged; download it again.`,
    );
  }
  return { shape, data: bytes.subarray(idxHeaderBytes(shape.length)) };
}
