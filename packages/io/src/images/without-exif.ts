/**
 * The bytes of a JPEG, PNG or WebP file without what its camera noted, so that every decoder leaves pixels where the file has them:
 * browsers turn pictures by the EXIF tag of orientation, whatever they are asked. Files of other kinds, and those without such notes, come
 * back as they are.
 *
 * @example
 * import { withoutExif } from '@langevin/io';
 * const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0, 0xff, 0xda);
 * withoutExif(jpeg).length; // => 4
 */
export function withoutExif(bytes: Uint8Array): Uint8Array {
  const text = (at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length));
  const gone =
    text(0, 3) === '\u00ff\u00d8\u00ff'
      ? jpegSegments(bytes)
      : text(0, 8) === '\u0089PNG\r\n\u001a\n'
        ? chunks(bytes, { from: 8, name: 'eXIf', order: 'type after length' })
        : text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP'
          ? chunks(bytes, { from: 12, name: 'EXIF', order: 'type before length' })
          : [];
  if (gone.length === 0) return bytes;
  const out = new Uint8Array(bytes.length - gone.reduce((sum, { start, end }) => sum + end - start, 0));
  let to = 0;
  let from = 0;
  for (const { start, end } of [...gone, { start: bytes.length, end: bytes.length }]) {
    out.set(bytes.subarray(from, start), to);
    to += start - from;
    from = end;
  }
  // A WebP says its own size.
  if (text(0, 4) === 'RIFF') new DataView(out.buffer).setUint32(4, out.length - 8, true);
  return out;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Segments APP1 of EXIF that come before the picture. */
function jpegSegments(bytes: Uint8Array): readonly Span[] {
  const found: Span[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const end = at + 2 + view.getUint16(at + 2);
    // Start of the picture, or damage.
    if (marker === 0xda || end > bytes.length || end < at + 4) break;
    if (marker === 0xe1 && String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === 'Exif') found.push({ start: at, end });
    at = end;
  }
  return found;
}

/** Chunks of a name: of PNG, whose length comes first and a checksum last, or of RIFF, whose chunks are padded to even lengths. */
function chunks(
  bytes: Uint8Array,
  { from, name, order }: { readonly from: number; readonly name: string; readonly order: 'type after length' | 'type before length' },
): readonly Span[] {
  const found: Span[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const png = order === 'type after length';
  for (let at = from; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + (png ? 0 : 4), !png);
    const end = at + 8 + (png ? length + 4 : length + (length % 2));
    if (end > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + (png ? 4 : 0), at + (png ? 8 : 4)));
    if (type === name) found.push({ start: at, end });
    at = end;
  }
  return found;
}
