export {
  compareForward,
  compareGradients,
  FORWARD_TOLERANCE,
  GRADIENTS,
  SINGLE_GRADIENT_TOLERANCE,
  type ForwardComparison,
} from './compare.ts';
export { inBothPrecisions, randomScene, uniforms, type RandomSceneOptions } from './random-scene.ts';
export {
  compareGolden,
  compareGoldenReference,
  type GaussiansGolden,
  type GaussiansGoldenCase,
  type GoldenArray,
  type GoldenArrays,
  type GoldenDifference,
} from './golden.ts';
export { checkGradients, GRADIENT_CASES, GRADIENT_TOLERANCE, type GradientCase, type GradientError } from './central-differences.ts';
export { CLOSED_FORM_TOLERANCE, CLOSED_FORMS, drawDouble, drawSingle, type ClosedForm } from './closed-forms.ts';
export { timeTraining, type TimeTrainingOptions, type Timing, type TrainingTimes } from './time-training.ts';
export { checkDeformation, type CheckDeformationOptions } from './check-deformation.ts';
export { checkStrategy, type CheckStrategyOptions } from './check-strategy.ts';
