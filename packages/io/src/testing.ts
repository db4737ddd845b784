// For tests of data sets made outside this package.
export { checkData } from './testing/check-data.ts';
export type { CheckDataOptions } from './testing/check-data.ts';
// Gaussians without a file, and what the readers of their files are proved with.
export { fuzzSplats, splatFuzzTable } from './testing/splats/fuzz.ts';
export type { FuzzOptions, FuzzResult } from './testing/splats/fuzz.ts';
export { sampleFiles } from './testing/splats/sample-files.ts';
export type { SampleFile } from './testing/splats/sample-files.ts';
export { syntheticCloud } from './testing/splats/synthetic-cloud.ts';
export type { SyntheticCloudOptions } from './testing/splats/synthetic-cloud.ts';
export { benchSplats } from './testing/splats/bench.ts';
export type { SplatBenchOptions, SplatBenchRow } from './testing/splats/bench.ts';
export { compressedPlyAccuracy, splatRoundTrips } from './testing/splats/round-trips.ts';
export type { RoundTripRow } from './testing/splats/round-trips.ts';
export { reordered } from './testing/splats/compare.ts';
