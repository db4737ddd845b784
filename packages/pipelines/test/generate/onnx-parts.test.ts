import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { graphToOnnxFiles, onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readGolden, writeTiny } from '@langevin/pipelines/testing';
import { inFloat32 } from '@langevin/nn';
import { float32Data, numbers, setDefaultEngine, tensor, UserError, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTextEncoder } from '../../src/checkpoint/load-encoder.ts';
import { onnxParts } from '../../src/generate/onnx-parts.ts';
import { openModel } from '../../src/generate/open-model.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

// The runtime alone, as anybody has it: nothing of this project reads the files.
const beside = createRequire(createRequire(import.meta.url).resolve('@langevin/engine-onnxruntime'));
const { InferenceSession, Tensor: OrtTensor } = beside('onnxruntime-node') as {
  readonly InferenceSession: { create(path: string): Promise<Session> };
  readonly Tensor: new (type: string, data: Float32Array | Int32Array | Uint8Array, dims: readonly number[]) => { readonly data: unknown };
};
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { readonly data: unknown }>>>;
  release(): Promise<void>;
}

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

/** Numbers in [-1, 1) that look like none of the network. */
const wave = (shape: readonly number[], step: number): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => Math.sin(1 + step * i)),
    { shape: [...shape] },
  );

async function fed(value: Tensor) {
  if (value.dtype === 'int32') return new OrtTensor('int32', Int32Array.from(await numbers(value)), [...value.shape]);
  if (value.dtype === 'bool') return new OrtTensor('bool', Uint8Array.from(await numbers(value)), [...value.shape]);
  return new OrtTensor('float32', await float32Data(value), [...value.shape]);
}

/** The largest difference, in units of the largest value. */
function differ(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0) / scale;
}

describe('parts of a model as ONNX', () => {
  it.each(['stable-diffusion', 'stable-diffusion-xl', 'stable-diffusion-3', 'flux-dev', 'pixart'])(
    '%s: text encoders, network and decoder give in ONNX Runtime alone what they give here',
    { timeout: 60_000 },
    async (kind) => {
      const root = await scratch();
      const model = await openModel(await writeTiny(join(root, 'model'), await readGolden(GOLDEN, kind)));
      const size = model.usual.size;
      const { conditions } = await model.encodePrompts({ prompts: ['a cat'], size });
      const given = { ...conditions, ...(model.guidedBy === 'condition' && { guidance: tensor(Float32Array.of(3.5)) }) };
      const { channels, factor } = model.state;
      const latents = wave([1, channels, size.height / factor, size.width / factor], 0.7);
      const time = tensor(Float32Array.of(model.network.module.info.time === 'timestep' ? 401 : 0.4));
      const parts = await onnxParts(model);
      const encoders = [...model.weights.keys()].filter((name) => name.startsWith('text_encoder')).length;
      expect(parts.length).toBe(encoders + 2);
      for (const { name, graph, inputs, outputs } of parts) {
        const folder = join(root, 'onnx', name);
        await mkdir(folder, { recursive: true });
        const { model: bytes, data } = await graphToOnnxFiles(graph, {
          location: 'model.onnx_data',
          inputNames: inputs,
          outputNames: outputs,
        });
        await writeFile(join(folder, 'model.onnx'), bytes);
        await writeFile(join(folder, 'model.onnx_data'), data());
        expect(Buffer.from(bytes).includes('com.microsoft')).toBe(false);
        const session = await InferenceSession.create(join(folder, 'model.onnx'));
        expect(session.inputNames).toEqual(inputs);
        expect(session.outputNames).toEqual(outputs);
        const { feeds, wanted } = await expectation(name, graph.values[graph.inputs[0]!]!.shape);
        const results = await session.run(
          Object.fromEntries(await Promise.all(inputs.map(async (each, i) => [each, await fed(feeds[i]!)] as const))),
        );
        expect(differ(results[outputs[0]!]!.data as Float32Array, await float32Data(wanted))).toBeLessThan(1e-5);
        await session.release();
      }
      await model.dispose();

      async function expectation(
        name: string,
        shape: readonly number[],
      ): Promise<{ readonly feeds: readonly Tensor[]; readonly wanted: Tensor }> {
        if (name === 'vae_decoder') {
          const { module, params } = model.autoencoder;
          return { feeds: [latents], wanted: module.decode(inFloat32(params), latents) };
        }
        if (name.startsWith('text_encoder')) {
          const { module } = await loadTextEncoder(model.checkpoint, name);
          const ids = tensor(
            Int32Array.from({ length: shape[1]! }, (_, i) => (7 * i + 3) % module.info.vocabulary),
            {
              shape: [1, shape[1]!],
              dtype: 'int32',
            },
          );
          return { feeds: [ids], wanted: module.apply(inFloat32(model.weights.get(name)), ids).last };
        }
        const { module, params } = model.network;
        const names = Object.keys(given);
        return {
          feeds: [latents, time, ...names.map((each) => (given as Record<string, Tensor>)[each]!)],
          wanted: module.apply(inFloat32(params), latents, time, { conditions: given }),
        };
      }
    },
  );

  it('sides and batches are checked', async () => {
    const model = await openModel(await writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, 'stable-diffusion')));
    await expect(onnxParts(model, { width: model.multiple + 1 })).rejects.toThrow(UserError);
    await expect(onnxParts(model, { batch: 0 })).rejects.toThrow(UserError);
    await expect(onnxParts(model, { size: 3 } as never)).rejects.toThrow(UserError);
    await model.dispose();
  });
});
