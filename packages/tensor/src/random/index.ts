export type { CounterState, Generator, GeneratorState, IntegerRange, PhiloxState, TorchState } from './generator.ts';
export { torchGenerator } from './torch-generator.ts';
export { philoxGenerator } from './philox-generator.ts';
export { counterGenerator, type CounterGenerator, type CounterOptions } from './counter-generator.ts';
export { generatorFromState } from './from-state.ts';
export { seedSequence, type SeedSequenceOptions } from './seed-sequence.ts';
export { brownianTree, type BrownianTree, type BrownianTreeOptions } from './brownian-tree.ts';
