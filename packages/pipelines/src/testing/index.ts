export { compareCases, openCase, resultOf, type CaseDifference } from './golden-pictures.ts';
export {
  readGolden,
  weightsOf,
  writeTiny,
  type GoldenCase,
  type GoldenComponent,
  type GoldenPipeline,
  type GoldenSize,
  type GoldenValues,
} from './tiny-checkpoint.ts';
export { writeToyCheckpoint, type ToyCheckpointOptions } from './toy-checkpoint.ts';
