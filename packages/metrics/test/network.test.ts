import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openOnnxNetwork } from '@langevin/engine-onnxruntime';
import type { Image } from '@langevin/io';
import {
  frechetDistance,
  momentsOf,
  pickItems,
  pictureFeatures,
  type FeatureExtractor,
  type PictureInput,
  type ResizeFilter,
} from '@langevin/metrics';
import { describe, expect, it } from 'vitest';

interface Case {
  readonly side: number;
  readonly resize: ResizeFilter;
  readonly features: readonly number[];
  readonly frechet: number;
}

const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const { cases } = JSON.parse(readFileSync(golden('network.json'), 'utf8')) as { readonly cases: readonly Case[] };

/** By the formula of tooling/parity/metrics_network_golden.py. */
function picture(i: number, side: number): Image {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      for (let c = 0; c < 3; c += 1) {
        const wave = Math.sin(0.3 * (i + 1) * x + 0.17 * y + c) + Math.cos(0.23 * y * (1 + (i % 3)));
        const value = Math.floor(127.5 + 60 * wave) + ((7 * x + 13 * y + 5 * c + 3 * i) % 8) - 4;
        data[(y * side + x) * 3 + c] = Math.min(255, Math.max(0, value));
      }
    }
  }
  return { width: side, height: side, channels: 3, data };
}

const pictures = (from: number, to: number, side: number): readonly Image[] =>
  Array.from({ length: to - from }, (_, i) => picture(from + i, side));

async function extractor(
  path: string,
  { input, batch }: { readonly input: PictureInput; readonly batch: number },
): Promise<FeatureExtractor> {
  const network = await openOnnxNetwork(path, { device: 'cpu', threads: 1 });
  return pictureFeatures({
    name: 'brought',
    hash: network.hash,
    layer: network.outputs[0]!.name,
    input,
    batch,
    network: (x) => network.run(x),
  });
}

describe('a network that the user brings as ONNX', () => {
  it.each(cases)('gives the features of PyTorch, pictures of $side resized by $resize', async ({ side, resize, features, frechet }) => {
    const input = { width: 24, height: 24, resize, range: [0, 1], mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] } as const;
    const judge = await extractor(golden('network.onnx'), { input, batch: 5 });
    const first = await judge.features(pictures(0, 16, side));
    features.forEach((value, k) => expect(Math.abs(first.rows[k]! - value)).toBeLessThan(1e-4));
    const second = await judge.features(pictures(16, 32, side));
    const { value } = frechetDistance(momentsOf(first), momentsOf(second));
    expect(Math.abs(value - frechet)).toBeLessThan(1e-4 * Math.max(frechet, 1));
    expect(first.info).toMatchObject({ width: 6, layer: 'features', hash: expect.stringMatching(/^[0-9a-f]{64}$/u) as string });
    expect(first.info.input).toContain(`resize ${resize}`);
  });

  it('refuses what does not fit, by name', async () => {
    const network = await openOnnxNetwork(golden('network.onnx'), { device: 'cpu', threads: 1 });
    const batch = { data: new Float32Array(3 * 20 * 20), shape: [1, 3, 20, 20] };
    await expect(network.run(batch)).rejects.toThrow('batch does not fit the input of the model');
    await expect(network.run({ data: new Float32Array(3), shape: [1, 3, 24, 24] })).rejects.toThrow('numbers do not fill the shape');
    await expect(network.run({ data: new Float32Array(1728), shape: [1, 3, 24, 24] }, 'logits')).rejects.toThrow(
      'unknown output: output=logits',
    );
    await network.dispose();
    await expect(openOnnxNetwork(Uint8Array.of(1, 2, 3))).rejects.toThrow('model cannot be opened');
    await expect(openOnnxNetwork('/nowhere.onnx')).rejects.toThrow('model cannot be read');
  });
});

const folder = process.env['LANGEVIN_INCEPTION'];
const missing = folder === undefined || !existsSync(join(folder, 'inception.onnx'));
const why = missing ? ' (skipped: LANGEVIN_INCEPTION names no folder that metrics_network_golden.py wrote)' : '';
describe.skipIf(missing)(`the Inception network of the FID, randomly initialised${why}`, () => {
  it('gives the features and the distance of torch-fidelity', { timeout: 120_000 }, async () => {
    const expected = JSON.parse(readFileSync(join(folder!, 'inception.json'), 'utf8')) as Pick<Case, 'features' | 'frechet'>;
    // Bytes minus 128 over 128, resized as TensorFlow 1 does.
    const input = {
      width: 299,
      height: 299,
      resize: 'bilinear-tf1',
      range: [0, 255],
      mean: [128, 128, 128],
      std: [128, 128, 128],
    } as const;
    const judge = await extractor(join(folder!, 'inception.onnx'), { input, batch: 6 });
    const all = await judge.features(pictures(0, 12, 40));
    const largest = expected.features.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const apart = expected.features.reduce((most, value, k) => Math.max(most, Math.abs(all.rows[k]! - value)), 0);
    expect(all.width).toBe(2048);
    expect(apart / largest).toBeLessThan(1e-4);
    const halves = [
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
    ].map((items) => pickItems(all, items));
    const { value } = frechetDistance(momentsOf(halves[0]!), momentsOf(halves[1]!));
    expect(Math.abs(value - expected.frechet) / expected.frechet).toBeLessThan(1e-3);
  });
});
