import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { openData, writeImage } from '@langevin/io/node';
import { zipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

vi.setConfig({ testTimeout: 120_000 });

interface Report {
  readonly counts: { readonly samples: number; readonly reference: number; readonly floor: number };
  readonly features: { readonly name: string; readonly hash: string; readonly width: number };
  readonly rows: readonly { readonly key: string; readonly values: Readonly<Record<string, { readonly value: number }>> }[];
  readonly remarks: readonly string[];
}

/** Pictures of shapes in a folder. */
async function shapes(folder: string, { count, seed }: { readonly count: number; readonly seed: number }): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { source } = await openData({ name: 'captioned-shapes', count, seed, size: 32 });
  for (let i = 0; i < count; i += 1) {
    const item = await source.load(i);
    if (item.kind === 'picture') await writeImage(join(folder, `${String(i).padStart(4, '0')}.png`), item.image);
  }
}

const against = (...more: readonly string[]): readonly string[] => [
  ...['--against', 'captioned-shapes', '--set', 'count=160', '--set', 'seed=1', '--set', 'size=32', '--threads', '1', ...more],
];
const value = ({ rows }: Report, key: string, who: string): number => rows.find((row) => row.key === key)!.values[who]!.value;

describe('evaluate', () => {
  it('puts samples of the same kind near the floor, before the Gaussian of the pixels, and says what was compared', async () => {
    const folder = await temporaryFolder();
    await shapes(join(folder, 'samples'), { count: 60, seed: 2 });
    const out = join(folder, 'report');
    const { code, out: table, err } = await cli(['evaluate', join(folder, 'samples'), ...against('--count', '60', '--out', out)]);
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    const report = JSON.parse(await readFile(`${out}.json`, 'utf8')) as Report;
    expect(report.counts).toMatchObject({ samples: 60, reference: 100, floor: 60 });
    const [own, floor, gaussian] = ['samples', 'data', 'gaussian of pixels'].map((who) => value(report, 'gaussianKernel', who));
    expect(Math.abs(own! - floor!)).toBeLessThan(gaussian! - floor!);
    expect(table).toContain('| precision (k=5, 60 against 100) |');
    expect(table).toContain('judge: sha256 none');
    expect(await readFile(`${out}.md`, 'utf8')).toContain(table.trim());
    expect(report.remarks.join()).toContain('memorisation was left out: what the model was trained on was not given');
  });

  it('reads a zip, with a judge of the package and an ONNX network, and finds copies of the training data', async () => {
    const folder = await temporaryFolder();
    // None of it is in the data, which are of another seed.
    await shapes(join(folder, 'training'), { count: 40, seed: 4 });
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 30; i += 1) {
      const name = `${String(i).padStart(4, '0')}.png`;
      files[name] = await readFile(join(folder, 'training', name));
    }
    const zip = join(folder, 'copies.zip');
    await writeFile(zip, zipSync({ ...files, 'readme.txt': new Uint8Array(3) }));
    const judged = await cli([
      'evaluate',
      zip,
      ...against(
        '--count',
        '30',
        '--features',
        'cifar10',
        '--training',
        join(folder, 'training'),
        '--metrics',
        'memorisation,class-score',
        '--json',
      ),
    ]);
    expect({ code: judged.code, err: judged.code === 0 ? '' : judged.err }).toEqual({ code: 0, err: '' });
    const report = JSON.parse(judged.out) as Report;
    expect(report.features).toMatchObject({ name: 'cifar10-1', width: 96 });
    expect(value(report, 'copied', 'samples')).toBe(1);
    expect(value(report, 'copied', 'data')).toBeLessThan(0.2);
    expect(value(report, 'classScore', 'samples')).toBeGreaterThan(1);
    const network = fileURLToPath(new URL('../../../packages/metrics/test/golden/network.onnx', import.meta.url));
    const input = ['--input', 'width=24', '--input', 'height=24', '--input', 'resize=bicubic-antialias'];
    const brought = await cli([
      'evaluate',
      zip,
      ...against('--count', '30', '--features', network, ...input, '--metrics', 'frechet', '--json'),
    ]);
    expect((JSON.parse(brought.out) as Report).features.hash).toMatch(/^[0-9a-f]{64}$/u);
  });

  it('says what is wrong before the work', async () => {
    const folder = await temporaryFolder();
    const wrong = async (args: readonly string[], text: string): Promise<void> => {
      const { code, err } = await cli(['evaluate', ...args]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(text) as string });
    };
    await wrong([join(folder, 'nothing'), ...against()], 'there are no samples');
    await wrong([folder, ...against()], 'there are no pictures');
    await writeFile(join(folder, 'bad.zip'), Uint8Array.of(1, 2, 3));
    await wrong([join(folder, 'bad.zip'), ...against()], 'zip cannot be unpacked');
    await wrong([folder, ...against('--metrics', 'fid')], 'unknown metric: "fid"');
    await wrong([folder, ...against('--features', 'inception')], 'unknown features: --features inception');
    await wrong([folder, ...against('--features', 'x.onnx')], 'model cannot be read');
    await mkdir(join(folder, 'model', 'unet'), { recursive: true });
    await writeFile(
      join(folder, 'model', 'trained-with.json'),
      JSON.stringify([{ name: 'cifar10-1', hash: 'as in its record', role: 'loss' }]),
    );
    await wrong([join(folder, 'model'), ...against('--features', 'cifar10')], 'judge is not independent: judge=cifar10-1');
  });
});
