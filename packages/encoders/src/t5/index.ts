export { parseT5Config, type T5Config } from './config.ts';
export { t5, t5FromConfig, type T5Params } from './t5.ts';
export { t5Encoder } from './plugin.ts';
