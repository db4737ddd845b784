export { checkProgram, pastedProgram, type CheckOptions, type ProgramFinding, type ProgramMode, type ProgramReport } from './check.ts';
export { expectationsOf, type Derivative, type Expectation, type Expected } from './expect.ts';
export { generateProgram, programKinds, type ProgramKind } from './generate.ts';
export { programFunction } from './interpret.ts';
export { programOps } from './ops/index.ts';
export { shrinkProgram } from './shrink.ts';
export { drawHost, type Attribute, type Attributes, type DrawKind, type ProgramInput, type ProgramSpec, type ProgramStep } from './spec.ts';
