import type { SchedulerClass } from '../scheduler-class.ts';
import { ddimClasses } from './ddim.ts';
import { eulerDiscrete } from './euler.ts';
import { heunDiscrete } from './heun.ts';

/** Every class, a line a file. */
export const schedulerClasses: readonly SchedulerClass[] = [
  ...ddimClasses,
  eulerDiscrete,
  heunDiscrete,
];
