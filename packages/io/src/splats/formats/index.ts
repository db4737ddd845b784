// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { SplatFormat } from '../format.ts';
import { compressedPlyFormat } from './compressed-ply.ts';
import { container4dFormat } from './container-4d.ts';
import { plyFormat } from './ply.ts';
import { splatFormat } from './splat.ts';
import { spzFormat } from './spz.ts';

/** The formats that come with this package: one for each file of this folder. */
export const knownFormats: readonly SplatFormat[] = [compressedPlyFormat, container4dFormat, plyFormat, splatFormat, spzFormat];
