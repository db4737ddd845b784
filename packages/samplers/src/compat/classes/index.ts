import type { SchedulerClass } from '../scheduler-class.ts';
import { ddimClasses } from './ddim.ts';

/** Every class, a line a file. */
export const schedulerClasses: readonly SchedulerClass[] = [
  ...ddimClasses,
];
