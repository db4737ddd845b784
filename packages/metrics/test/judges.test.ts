import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import type { Image } from '@langevin/io';
import { judgeNetwork, judgeTask, refuseDependentJudge, vocabularyOf, type JudgeRecord } from '@langevin/metrics';
import { loadJudge, saveJudge } from '@langevin/metrics/node';
import { counterGenerator, torchGenerator } from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
const architecture = { channels: 1 as const, side: 8, widths: [8], groups: 2 };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'langevin-judge-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Class 1 is bright on the left, class 0 on the right. */
function pictures(count: number, seed: number): { readonly pictures: Float32Array; readonly labels: Int32Array } {
  const noise = counterGenerator({ seed, stream: [] }).uniform(count * 64);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const side = (k: number): number => (k % 8 < 4 ? 1 : 0);
  return { labels, pictures: Float32Array.from(noise, (u, k) => (side(k) === labels[Math.floor(k / 64)] ? 0.5 : -0.5) + 0.6 * (u - 0.5)) };
}

const task = (steps: number) =>
  judgeTask({
    ...{ name: 'sides', config: {}, seed: 3, architecture, steps, learningRate: 0.02, weightDecay: 0.01, shift: 1, engine },
    head: { kind: 'classes', classes: ['right', 'left'] },
    batch: ({ index, epoch }) =>
      Promise.resolve({
        ...pictures(16, index + 100 * epoch),
        next: index === 9 ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 },
      }),
  });

const record = (steps: number): Omit<JudgeRecord, 'sha256'> => ({
  ...{ name: 'sides-1', architecture, seed: 3, steps, batchSize: 16, data: [], measured: {} },
  head: { kind: 'classes', classes: ['right', 'left'] },
});

describe('a judge', () => {
  it('learns classes by its task, and says the same from a folder, in float16, whose hash it carries', async () => {
    const out = await folder();
    let saved: JudgeRecord | undefined;
    for await (const event of train(task(40), { store: memoryStore(), steps: 40 }))
      if (event.kind === 'done') saved = await saveJudge(out, { record: record(40), params: event.state.judge.params });
    const judge = await loadJudge(out, { engine });
    expect(judge.info).toMatchObject({ name: 'sides-1', hash: saved!.sha256, input: '8x8 grey, resize area, -1 to 1' });
    const held = pictures(40, 999);
    const images = Array.from({ length: 40 }, (_, i): Image => {
      const bytes = Uint8Array.from(held.pictures.subarray(64 * i, 64 * (i + 1)), (value) => Math.round((value + 1) * 127.5));
      return { width: 8, height: 8, channels: 1, data: bytes };
    });
    const { labels, probabilities } = await judge.probabilities(images);
    expect(labels).toEqual(held.labels);
    expect(probabilities[0]! + probabilities[1]!).toBeCloseTo(1, 5);
    expect((await judge.features(images)).width).toBe(8);
    await expect(judge.captionEmbeddings(['left'])).rejects.toThrow('judge knows no captions');
    await judge.dispose();
    // One bit of the weights, and it is another network.
    const path = join(out, 'model.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 2]! ^= 1;
    await writeFile(path, bytes);
    await expect(loadJudge(out, { engine })).rejects.toThrow('weights are not those of the record');
  });

  it('is trained by a task that resumes to the same bytes', async () => {
    await checkTask(() => task(8));
  });

  it('of captions learns which caption is whose', async () => {
    const captions = ['bright on the right', 'bright on the left'];
    const head = { kind: 'captions' as const, width: 8, words: [...vocabularyOf(captions, 1)], length: 6 };
    const learning = judgeTask({
      ...{ name: 'words', config: {}, seed: 4, architecture, head, steps: 60, learningRate: 0.02, weightDecay: 0, engine },
      batch: ({ index }) => {
        const { pictures: x, labels } = pictures(2, index);
        return Promise.resolve({
          pictures: x,
          captions: Array.from(labels, (label) => captions[label]!),
          next: { epoch: 0, index: index + 1 },
        });
      },
    });
    const losses: number[] = [];
    for await (const event of train(learning, { store: memoryStore(), steps: 60 }))
      if (event.kind === 'step') losses.push(event.losses['loss']!);
    expect(losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10).toBeLessThan(0.2);
  });

  it('that had a say in a training is refused, by name or by hash', () => {
    const judge = { name: 'mnist-1', hash: 'a'.repeat(64) };
    expect(() => refuseDependentJudge(judge, [{ name: 'renamed', hash: judge.hash, role: 'discriminator' }])).toThrow('role=discriminator');
    expect(() => refuseDependentJudge(judge, [{ name: 'mnist-1', hash: 'b'.repeat(64), role: 'loss' }])).toThrow('not independent');
    expect(refuseDependentJudge(judge, [{ name: 'mnist-2', hash: 'b'.repeat(64), role: 'loss' }])).toBeUndefined();
  });

  it('does not begin with an architecture that does not fit', () => {
    const head = { kind: 'classes' as const, classes: ['a', 'b'] };
    expect(() => judgeNetwork({ ...architecture, groups: 3 }, head)).toThrow('groups=3, width=8');
    expect(() => judgeNetwork({ ...architecture, widths: [8, 8, 8] }, head)).toThrow('side=8, stages=3');
    expect(judgeNetwork(architecture, head).init(torchGenerator(0)).head.weight.shape).toEqual([2, 8]);
  });
});

describe('the judges of the package', () => {
  it.each([
    ['mnist', 64],
    ['cifar10', 96],
    ['emoji', 96],
  ])('%s opens, with the hash of its record', async (name, width) => {
    const judge = await loadJudge(fileURLToPath(new URL(`../../../models/judges/${name}`, import.meta.url)), { engine });
    const white: Image = { width: 40, height: 40, channels: 3, data: new Uint8Array(4800).fill(255) };
    expect((await judge.features([white])).width).toBe(width);
    await judge.dispose();
  });
});
