export { clipTextProjectionEncoder } from './plugin.ts';
