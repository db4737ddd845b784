import { checkImage, type Image } from './image.ts';
import { PNG_SIGNATURE, pngChunk } from './png-chunk.ts';

/** Grey, RGB, grey with alpha, RGBA: how PNG names them (ISO/IEC 15948, table 11.1), by the number of channels. */
const COLOUR_TYPES = [0, 4, 2, 6] as const;
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
    PNG_SIGNATURE,
    pngChunk('IHDR', new Uint8Array(head.buffer)),
    pngChunk('IDAT', await deflated(filtered(image))),
    pngChunk('IEND', new Uint8Array(0)),
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
