import { checkImage, type Image } from './image.ts';

/** Grey, RGB, grey with alpha, RGBA: how PNG names them (ISO/IEC 15948, table 11.1), by the number of channels. */
const COLOUR_TYPES = [0, 4, 2, 6] as const;
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Each row differs from the row above it, byte by byte: filter 2 of the format, which suits rendered pictures and photographs alike. */
const FILTER_UP = 2;

/**
 * An image as the bytes of a PNG file, in Node and in a page alike (ISO/IEC 15948); 8 bits a channel, lossless.
 *
 * @throws {UserError} when the image is malformed
 * @example
 * const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) } as const;
 * (await encodePng(red)).subarray(1, 4); // => Uint8Array [80, 78, 71]
 */
export async function encodePng(image: Image): Promise<Uint8Array> {
  checkImage(image, '[io/images] encodePng');
  const { width, height, channels } = image;
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8);
  head.setUint8(9, COLOUR_TYPES[channels - 1]!);
  const pieces = [
    SIGNATURE,
    chunk('IHDR', new Uint8Array(head.buffer)),
    chunk('IDAT', await deflated(filtered(image))),
    chunk('IEND', new Uint8Array(0)),
  ];
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Rows, each after the number of its filter. */
function filtered({ width, height, channels, data }: Image): Uint8Array<ArrayBuffer> {
  const row = width * channels;
  const out = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) {
    const to = y * (row + 1);
    out[to] = FILTER_UP;
    for (let x = 0; x < row; x++) out[to + 1 + x] = data[y * row + x]! - (y === 0 ? 0 : data[(y - 1) * row + x]!);
  }
  return out;
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Length, name, content, and a checksum of the two. */
function chunk(name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + content.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.byteLength);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.byteLength, crc32(bytes.subarray(4, 8 + content.byteLength)));
  return bytes;
}

/** The checksum of the format (ISO/IEC 15948, annex D). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
