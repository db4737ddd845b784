export { numbersOf, projected, weightOf, weightsOf } from './by-rule.ts';
export { compareRuled, type NamedInputs, type RuledGolden, type RuledModule } from './ruled-module.ts';
