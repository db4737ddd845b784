import { gunzipSync } from 'node:zlib';
import { UserError } from '@langevin/tensor';
import { bytesOfArray } from '../../host-tensor.ts';
import { readBytes } from '../read-json.ts';

const BLOCK = 512;

/**
 * Files of a packed tar archive, by the names that are asked for; nothing is written anywhere, so no name in it can lead out of a folder.
 *
 * @param wanted names as the archive has them
 * @throws UserError when it is damaged or larger than `maxBytes` unpacked, or lacks a file
 */
export async function readTarGz(
  path: string,
  { wanted, maxBytes }: { readonly wanted: readonly string[]; readonly maxBytes: number },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const where = `[io/tar] archive ${JSON.stringify(path)}`;
  const packed = await readBytes(path, { maxBytes });
  let bytes: Uint8Array;
  try {
    bytes = bytesOfArray(gunzipSync(packed, { maxOutputLength: maxBytes }));
  } catch (cause) {
    throw new UserError(`${where} cannot be unpacked: ${(cause as Error).message}, limit=${maxBytes}. It is damaged; fetch it again.`, {
      cause,
    });
  }
  const found = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length)).replace(/\0.*$/su, '');
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const name = `${text(at + 345, 155)}${text(at + 345, 1) === '' ? '' : '/'}${text(at, 100)}`;
    const size = /^ *[0-7]+ *$/u.test(text(at + 124, 12)) ? Number.parseInt(text(at + 124, 12).trim(), 8) : Number.NaN;
    const next = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    // The last block may be cut short, its content may not.
    if (!Number.isSafeInteger(next) || at + BLOCK + size > bytes.length)
      throw new UserError(`${where} is damaged: entry=${JSON.stringify(name)}, size=${size}. Fetch it again.`);
    const isFile = bytes[at + 156] === 0x30 || bytes[at + 156] === 0;
    if (isFile && wanted.includes(name)) found.set(name, bytes.subarray(at + BLOCK, at + BLOCK + size));
    at = next;
  }
  const missing = wanted.find((name) => !found.has(name));
  if (missing !== undefined) throw new UserError(`${where} lacks a file: ${JSON.stringify(missing)}. It is another archive.`);
  return found;
}
