export { fsqModelToConfig, parseFsqModelConfig, type FsqModelConfig } from './config.ts';
export { fsqModel, fsqModelFromConfig, type FsqModelParams } from './fsq-model.ts';
export { fsqModelPlugin } from './plugin.ts';
export { scalarQuantizer, type ScalarQuantizer } from './scalar-quantizer.ts';
