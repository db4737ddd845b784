import { checkGaussians, type Gaussians } from '@langevin/gaussians';
import { expect, test } from 'vitest';

const two: Gaussians = {
  count: 2,
  degree: 1,
  means: new Float32Array(6),
  quaternions: new Float32Array(8),
  logScales: new Float32Array(6),
  opacityLogits: new Float32Array(2),
  sh: new Float32Array(24),
};

test('arrays have a row for each Gaussian', () => {
  expect(() => checkGaussians('gaussians/test', two)).not.toThrow();
  expect(() => checkGaussians('gaussians/test', { ...two, sh: new Float32Array(6) })).toThrow(
    '[gaussians/test] array does not have a row for each Gaussian: sh.length=6, expected 24 for count=2, degree=1.',
  );
  expect(() => checkGaussians('gaussians/test', { ...two, count: -1 })).toThrow('count=-1');
  expect(() => checkGaussians('gaussians/test', { ...two, degree: 4 as never })).toThrow('degree=4');
});
