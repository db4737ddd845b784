import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { langevinConfig } from '../src/index.js';
import { findDependencyFaults, LAYERS, whyForbidden } from '../src/layers.js';

const lint = new ESLint({
  cwd: '/workspace',
  overrideConfigFile: true,
  overrideConfig: langevinConfig({ rootDir: '/workspace', typeAware: false }),
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await lint.lintText(code, { filePath: `/workspace/${filePath}` });
  return (result?.messages ?? []).map((message) => message.message);
}

describe('the configuration of the workspace refuses a wrong import', () => {
  it.each([
    ['packages/tensor/src/a.ts', "import { linear } from '@langevin/nn';", '"base"'],
    ['packages/core-schedules/src/a.ts', "import { heun } from '@langevin/samplers';", '"contract" is below "parts"'],
    ['packages/samplers/src/a.ts', "import { unet } from '@langevin/backbones';", 'do not import each other'],
    ['packages/samplers/src/a.ts', "export { unet } from '@langevin/backbones';", 'do not import each other'],
    ['packages/samplers/src/a.ts', "export * from '@langevin/backbones/testing';", 'do not import each other'],
    ['packages/samplers/src/a.ts', "const m = await import('@langevin/pipelines');", '"parts" is below "assembly"'],
    ['packages/samplers/src/a.ts', "export type U = import('@langevin/backbones').Unet;", 'do not import each other'],
    ['packages/score-distillation/src/a.ts', "import { render } from '@langevin/gaussians';", 'as an argument'],
    ['packages/training/src/a.ts', "import { ort } from '@langevin/engine-onnxruntime';", 'choose an engine'],
    ['packages/training/src/a.ts', "import { heun } from '@langevin/samplers';", '"loop" is below "parts"'],
    ['packages/engine-tfjs/src/a.ts', "import { read } from '@langevin/io';", 'nothing but tensor'],
    ['packages/tensor/test/a.test.ts', "import { ort } from '@langevin/engine-onnxruntime';", 'engines stand on tensor'],
    ['packages/nn/src/a.ts', "import * as ort from 'onnxruntime-node';", "engine's runtime"],
    ['apps/cli/src/a.ts', "import * as ort from 'onnxruntime-node';", "engine's runtime"],
    ['packages/io/src/a.ts', "import '@tensorflow/tfjs-core';", "engine's runtime"],
    ['packages/samplers/src/a.ts', "import { x } from '../../tensor/src/index.ts';", 'by path'],
  ])('%s: %s', async (file, code, reason) => {
    const found = await complaints(file, code);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });

  it.each([
    ['packages/nn/src/a.ts', "import { matmul } from '@langevin/tensor';"],
    ['packages/backbones/src/a.ts', "import { linear } from '@langevin/nn';"],
    ['packages/diffusion/src/a.ts', "import { heun } from '@langevin/samplers';"],
    ['packages/gaussians/src/a.ts', "import { train } from '@langevin/training';"],
    ['packages/nn/test/a.test.ts', "import { ort } from '@langevin/engine-onnxruntime';"],
    ['packages/engine-onnxruntime/src/a.ts', "import * as ort from 'onnxruntime-node';"],
    ['packages/samplers/test/a.test.ts', "import { heun } from '@langevin/samplers';"],
    ['packages/samplers/src/solvers/a.ts', "import { x } from '../driver.ts';"],
    ['apps/cli/src/a.ts', "import { ort } from '@langevin/engine-onnxruntime';"],
    ['apps/bench/src/a.ts', "import * as tf from '@tensorflow/tfjs-core';"],
  ])('and accepts a right one: %s: %s', async (file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });

  it('refuses default exports in packages and files past 600 lines', async () => {
    expect(await complaints('packages/nn/src/a.ts', 'export default 1;')).toHaveLength(1);
    const [tooLong] = await complaints('packages/nn/src/a.ts', 'export {};\n'.repeat(601));
    expect(tooLong).toContain('too many lines (601)');
  });
});

describe('layers', () => {
  it('admit no pair of packages that may import each other', () => {
    const all = LAYERS.flatMap((layer) => layer.members);
    const mutual = all.flatMap((a) =>
      all.filter((b) => a !== b && whyForbidden(a, b) === undefined && whyForbidden(b, a) === undefined).map((b) => `${a} <-> ${b}`),
    );
    expect(mutual).toEqual([]);
  });

  it('are checked in package.json too, cycles through development dependencies included', () => {
    const faults = findDependencyFaults([
      { name: '@langevin/tensor', devDependencies: { '@langevin/nn': 'workspace:*' } },
      { name: '@langevin/nn', dependencies: { '@langevin/tensor': 'workspace:*', 'onnxruntime-node': '1.0.0' } },
    ]);
    expect(faults).toEqual([
      '@langevin/tensor: devDependencies names @langevin/nn: both are in the layer "base", whose members do not import each other.',
      '@langevin/nn: dependencies names onnxruntime-node: onnxruntime-node belongs to the engine packages.',
      'the packages depend on each other in a circle: tensor -> nn -> tensor.',
    ]);
    expect(findDependencyFaults([{ name: '@langevin/cli', dependencies: { 'onnxruntime-node': '1.0.0' } }])).toEqual([]);
    expect(
      findDependencyFaults([{ name: '@langevin/tensor' }, { name: '@langevin/nn', dependencies: { '@langevin/tensor': 'workspace:*' } }]),
    ).toEqual([]);
  });
});
