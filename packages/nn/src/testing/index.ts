export { numbersOf, projected, weightOf, weightsOf } from './by-rule.ts';
export { compareRuled, measureRuled, type NamedInputs, type RuledDifference, type RuledGolden, type RuledModule } from './ruled-module.ts';
