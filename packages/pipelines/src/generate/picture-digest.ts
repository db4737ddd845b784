import type { Image } from '@langevin/io';

/** SHA-256 of the bytes of a picture's pixels, in hexadecimal: the same for every file that holds the same picture. */
export async function pictureDigest({ data }: Image): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(data));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
