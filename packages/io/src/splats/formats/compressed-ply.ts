import { defineSplatFormat, type SplatFormat } from '../format.ts';
import { plyFormat } from './ply.ts';

/**
 * PlayCanvas' packed PLY. It is a PLY file: one reader serves both, and the header decides. Its makers call it superseded, so it is only
 * read.
 */
export const compressedPlyFormat: SplatFormat = defineSplatFormat({
  name: 'compressed-ply',
  extensions: ['.compressed.ply'],
  keeps: 'positions, scales and colours in 8 to 11 bits between the ends of 256 Gaussians; rotations in 10 bits; spherical harmonics in 8',
  loses: 'harmonics outside [-4, 4]',
  bytesPerGaussian: (degree) => 16 + 72 / 256 + 3 * ((degree + 1) ** 2 - 1),
  matches: (head, byteLength) => plyFormat.matches(head, byteLength) && new TextDecoder().decode(head).includes(' packed_position'),
  read: plyFormat.read,
});
