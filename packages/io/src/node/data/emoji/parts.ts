import type { DataLicence, PackagePart } from '../../../sources/define-data.ts';

/** English names and keywords of emoji. */
export const EMOJILIB: PackagePart = {
  kind: 'package',
  name: 'emojilib',
  version: '4.0.3',
  integrity: 'sha512-KbWiYre9aRSaPbHrHZIz9zmoM+21LAsK1VFJtnTh1VCtWE/rNMDviGhQTmselFl95dhqtGlY22iH0leG5BuW0g==',
  bytes: 53_353,
};

/** Also tells names, code points and categories to the sets that lack them. */
export const TWEMOJI: PackagePart = {
  kind: 'package',
  name: '@iconify-json/twemoji',
  version: '1.2.5',
  integrity: 'sha512-uKpuIEV0v6K5BW3Mjdyl+XKFVAbbcPxAgifKvEMtZoUZB5+YiY5zaMm2uNNCxyXzAWU9yNLlj41WU6/mvgALsw==',
  bytes: 1_555_888,
};

export const GOOGLE: PackagePart = {
  kind: 'package',
  name: 'emoji-datasource-google',
  version: '16.0.0',
  integrity: 'sha512-ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==',
  bytes: 74_344_091,
};

export const FLUENT_3D: PackagePart = {
  kind: 'package',
  name: '@lobehub/fluent-emoji-3d',
  version: '1.1.0',
  integrity: 'sha512-Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==',
  bytes: 15_792_027,
};

export const FLUENT_FLAT: PackagePart = {
  kind: 'package',
  name: '@iconify-json/fluent-emoji-flat',
  version: '1.2.6',
  integrity: 'sha512-RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==',
  bytes: 1_172_438,
};

export const NOTO_V1: PackagePart = {
  kind: 'package',
  name: '@iconify-json/noto-v1',
  version: '1.2.5',
  integrity: 'sha512-/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==',
  bytes: 1_587_591,
};

/** Of each the size that the registry tells for its tarball. */
export const FLUENT_MOVING: readonly PackagePart[] = (
  [
    ['/4m31vAuZEQ4aUJ5pxcOU5PVkuJya55GRxUZL7+zgLlxZXpzzE8jPqpDyhZICE3n47nS/Y9M5/vLdizi8201QA==', 164_966_217],
    ['S6yzf0RZXrQbXdxCWuHA9BAoLdBRk2flX+ne4TPGEH/qApwisCAKHoAAGjKSlTY3OVeZ9b7t/NEbmpjawnQYJA==', 181_915_962],
    ['UzRSUDMjdfdt9vER5bhjHkPqgc3EEgfGtYs6ndvizOTvQOxYQ57ow2RTkWSDZxwW30X4EYBi2eWTS7CXDDoFsg==', 197_000_910],
    ['IIkl5ztSd1HrzvIDt/uGsFoC1WODXRdYq5uROrnkyqi9DbToEcJ1nlY86PnoUXeFS9nBCnHfiYk3ouSEGThFmA==', 185_915_894],
  ] as const
).map(([hash, bytes], i) => ({
  kind: 'package',
  name: `@lobehub/fluent-emoji-anim-${i + 1}`,
  version: '1.0.0',
  integrity: `sha512-${hash}`,
  bytes,
}));

export const NAMES_LICENCE: DataLicence = {
  name: 'MIT',
  attribution: 'Names and keywords: emojilib by Mu-An Chiou',
  url: 'https://github.com/muan/emojilib',
  parts: [EMOJILIB.name],
};

export const TWEMOJI_LICENCE: DataLicence = {
  name: 'CC-BY-4.0',
  attribution: 'Twemoji by Twitter and contributors; code points and categories from the same set, packed by Iconify',
  url: 'https://creativecommons.org/licenses/by/4.0/',
  parts: [TWEMOJI.name],
};

export const FLUENT_LICENCE: DataLicence = {
  name: 'MIT',
  attribution: 'Fluent Emoji by Microsoft Corporation; packed by LobeHub (3D, animated) and Iconify (flat)',
  url: 'https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE',
  parts: [FLUENT_3D, FLUENT_FLAT, ...FLUENT_MOVING].map(({ name }) => name),
};

export const GOOGLE_LICENCE: DataLicence = {
  name: 'Apache-2.0 AND MIT',
  attribution: 'Noto Emoji by Google (Apache-2.0), packed as emoji-datasource by Cal Henderson (MIT)',
  url: 'https://github.com/iamcal/emoji-data',
  parts: [GOOGLE.name],
};
