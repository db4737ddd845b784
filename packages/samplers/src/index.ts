export type { CfgPpSlopes } from './along-unconditional.ts';
export { jumpLevel, targetOf, type JumpLevel } from './jump-target.ts';

// What rules are made of, for authors of samplers
export { checkChoice, checkMethods } from './check-option.ts';
export { churn, type ChurnOptions, type Raised } from './churn.ts';
export { firstOrderTerms, type StepFrom } from './maths/exponential.ts';
export { remember } from './maths/multistep.ts';

// The driver
export { sample, trajectory } from './trajectory.ts';
export { invert, type InvertOptions } from './invert.ts';
export { teacherRun, type TeacherRunOptions } from './teacher-run.ts';
export { parallelTrajectory, type ParallelStep, type ParallelTrajectoryOptions } from './parallel-trajectory.ts';
export { sigmaLevels } from './levels.ts';
export {
  brownianTreeNoise,
  imageNoise,
  startState,
  torchNoise,
  type BrownianTreeNoiseOptions,
  type ImageNoiseOptions,
  type StartOptions,
} from './noise.ts';

// The samplers
export * from './solvers/index.ts';

// Diagnostics
export { meanShift, type MeanShiftOptions } from './diagnostics/mean-shift.ts';
export { denoisingLead, pathShape, type DenoisingLead, type Path, type PathShape } from './diagnostics/trajectory-shape.ts';
