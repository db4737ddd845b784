export { checkTask, type CheckTaskOptions } from './testing/check-task.ts';
