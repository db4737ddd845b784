export type { BandedCoder, BandsCall, BandsOptions } from './banded-coder.ts';
