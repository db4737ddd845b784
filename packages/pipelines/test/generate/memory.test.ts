import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { isFileSlice, setDefaultEngine, UserError, type Engine, type Executable, type Graph } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../src/generate/generate.ts';
import { openModel } from '../../src/generate/open-model.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

let cpu: Engine;
beforeAll(async () => setDefaultEngine((cpu = await onnxruntimeEngine({ device: 'cpu', threads: 1 }))));
afterAll(() => setDefaultEngine(undefined));

const weightBytes = ({ constants }: Graph): number =>
  constants.reduce((sum, { data }) => sum + (isFileSlice(data) ? data.byteLength : 0), 0);

/** An engine that counts the bytes of weights in what is compiled and not disposed. */
function counting() {
  const now = { bytes: 0, peak: 0, all: 0, most: 0 };
  const engine: Engine = {
    ...cpu,
    compile: async (graph, ...rest): Promise<Executable> => {
      const bytes = weightBytes(graph);
      now.bytes += bytes;
      now.all += bytes;
      now.most = Math.max(now.most, bytes);
      now.peak = Math.max(now.peak, now.bytes);
      const made = await cpu.compile(graph, ...rest);
      let disposed = false;
      return {
        run: (inputs, options) => made.run(inputs, options),
        dispose: async () => {
          if (!disposed) now.bytes -= bytes;
          disposed = true;
          await made.dispose();
        },
      };
    },
  };
  return { engine, now };
}

describe('memory modes', () => {
  it.each(['stable-diffusion', 'stable-diffusion-3', 'flux-dev', 'pixart'])(
    '%s: the picture is the same, and no two parts are there at once',
    async (kind) => {
      const folder = await writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, kind));
      const made = async (memory: 'keep' | 'load-and-release') => {
        const { engine, now } = counting();
        const model = await openModel(folder, { engine, memory });
        const call = { model, prompt: 'a cat', steps: 2, seed: 3 } as const;
        const result = await resultOf(call);
        const kept = now.bytes;
        await resultOf(call);
        await model.dispose();
        return { result, now, kept };
      };
      const [keep, release] = [await made('keep'), await made('load-and-release')];
      expect(release.result.images).toEqual(keep.result.images);
      expect([keep.result.report.memory, release.result.report.memory]).toEqual(['keep', 'load-and-release']);
      // All parts were compiled once, and are there to the end; or each by itself, and nothing is left of any.
      expect(keep.kept).toBe(keep.now.all);
      expect([release.kept, keep.now.bytes, release.now.bytes]).toEqual([0, 0, 0]);
      expect(release.now.all).toBe(2 * keep.now.all);
      // The encoders of a product are one part.
      expect(release.now.peak).toBeLessThan(keep.now.peak);
      expect(release.now.peak).toBeGreaterThanOrEqual(release.now.most);
    },
  );

  it('releases what a call had that was left in the middle', async () => {
    const folder = await writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, 'stable-diffusion'));
    const { engine, now } = counting();
    const model = await openModel(folder, { engine, memory: 'load-and-release' });
    for await (const event of generate({ model, prompt: 'a cat', steps: 4 })) if (event.kind === 'step') break;
    expect(now.peak).toBeGreaterThan(0);
    expect(now.bytes).toBe(0);
    await model.dispose();
  });

  it('knows no others', async () => {
    await expect(openModel('.', { memory: 'little' as never })).rejects.toThrow(UserError);
    await expect(openModel('.', { memory: 'little' as never })).rejects.toThrow('load-and-release');
  });
});
