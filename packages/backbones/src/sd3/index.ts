export { parseSd3Config, sd3ToConfig, type Sd3Config } from './config.ts';
export { sd3Backbone } from './plugin.ts';
export { sd3, sd3FromConfig, type Sd3Options, type Sd3Params } from './sd3.ts';
