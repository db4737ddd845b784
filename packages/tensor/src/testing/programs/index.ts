export { checkProgram, pastedProgram, type CheckOptions, type ProgramFinding, type ProgramMode, type ProgramReport } from './check.ts';
export { expectationsOf, type Derivative, type Expectation, type Expected } from './expect.ts';
export { generateProgram, programKinds, type ProgramKind } from './generate.ts';
export { programOps } from './ops/index.ts';
export { shrinkProgram } from './shrink.ts';
export type { ProgramSpec } from './spec.ts';
