export { referenceEngine, type ReferenceEngine, type ReferenceOptions } from './reference/engine.ts';
export { conformanceRows } from './rows/index.ts';
export { behaviours as engineBehaviours, type Behaviour } from './behaviours.ts';
export { runConformance, type ConformanceOptions, type ConformanceReport } from './run-conformance.ts';
export { testEngine, type TestEngineOptions } from './test-engine.ts';
export { proveGradient } from './prove-gradient.ts';
export type { ConformanceResult, RowCheck } from './check-row.ts';
export type { Comparison } from './compare.ts';
export type { ConformanceRow, RowFunction } from './row.ts';
export type { RowInput } from './draw.ts';
export type { Draw } from './draw.ts';
export type { Tolerance } from './tolerance.ts';
export {
  checkProgram,
  expectationsOf,
  generateProgram,
  pastedProgram,
  programKinds,
  programOps,
  shrinkProgram,
  type CheckOptions,
  type Derivative,
  type Expectation,
  type Expected,
  type ProgramFinding,
  type ProgramKind,
  type ProgramReport,
  type ProgramSpec,
} from './programs/index.ts';
