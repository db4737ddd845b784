import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

vi.setConfig({ testTimeout: 60_000 });

async function listed(kind: string, ...more: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { code, out, err } = await cli(['list', kind, '--json', ...more]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Record<string, unknown>[];
}

describe('list', () => {
  it('samplers, with what they declare', async () => {
    expect(await listed('samplers')).toEqual(
      expect.arrayContaining([
        { name: 'heun', order: 2, stochastic: false, needsGuidance: false, paper: 'arXiv:2206.00364, Algorithm 2' },
        { name: 'ddpm', order: 1, stochastic: true, needsGuidance: false, paper: 'arXiv:2006.11239' },
        expect.objectContaining({ name: 'euler-cfg-pp', needsGuidance: true }),
      ]),
    );
  });

  it('processes and spacings, each a list of its own, with their options', async () => {
    expect(await listed('processes')).toContainEqual({ name: 'edm', options: 'sigmaMin, sigmaMax, rho' });
    expect(await listed('spacings')).toContainEqual(expect.objectContaining({ name: 'karras' }));
    expect((await listed('spacings')).map(({ name }) => name)).not.toContain('edm');
  });

  it('backbones and data sets, with a sentence each', async () => {
    expect((await listed('backbones')).map(({ name, className }) => `${String(name)} ${String(className)}`)).toContain(
      'unet2d UNet2DModel',
    );
    const datasets = await listed('data');
    expect(datasets.map(({ name }) => name)).toEqual(expect.arrayContaining(['cifar10', 'emoji', 'idx', 'picture-folder']));
    expect(datasets.every(({ summary }) => typeof summary === 'string' && summary.length > 10)).toBe(true);
  });

  it('engines: each device once, and a reason for each that is not available', async () => {
    const engines = await listed('engines');
    const places = engines.map(({ engine, device }) => `${String(engine)} ${String(device)}`);
    expect(new Set(places).size).toBe(places.length);
    expect(places).toEqual(
      expect.arrayContaining(['onnxruntime cpu', 'onnxruntime webgpu', 'onnxruntime cuda', 'tfjs tensorflow-gpu', 'tfjs wasm', 'tfjs cpu']),
    );
    // Both are dependencies of this app.
    for (const place of ['onnxruntime cpu', 'tfjs cpu']) expect(engines[places.indexOf(place)]).toMatchObject({ available: true });
    for (const { available, reason } of engines)
      expect(available === true ? reason === '' : typeof reason === 'string' && reason.length > 10).toBe(true);
  });

  it('as a table for people', async () => {
    const { out } = await cli(['list', 'samplers']);
    expect(out.split('\n')[0]).toMatch(/^name +order +stochastic +needsGuidance +paper$/);
    expect(out).toMatch(/^heun +2 +no +no +arXiv/m);
  });

  it('what plugins add', async () => {
    const file = join(await temporaryFolder(), 'mine.mjs');
    await writeFile(
      file,
      "export const samplers = { mine: () => ({ name: 'mine', order: 1, stochastic: false, paper: 'none', init: () => ({}), step: "
        + 'async ({ x }) => ({ x, denoised: x }) }) };\n',
    );
    expect(await listed('samplers', '--plugin', file)).toContainEqual({
      name: 'mine',
      order: 1,
      stochastic: false,
      needsGuidance: false,
      paper: 'none',
    });
    await writeFile(`${file}.empty.mjs`, 'export const other = 1;\n');
    expect((await cli(['list', 'samplers', '--plugin', `${file}.empty.mjs`])).err).toContain('[cli/plugin] plugin adds nothing: ');
    await writeFile(`${file}.taken.mjs`, 'export const samplers = { heun: () => 1 };\n');
    expect((await cli(['list', 'samplers', '--plugin', `${file}.taken.mjs`])).err).toContain('the name of a sampler is taken: "heun"');
  });

  it('lists the kinds of checkpoints that pictures are made with', async () => {
    const { out } = await cli(['list', 'models', '--json']);
    const rows = JSON.parse(out) as readonly { readonly name: string; readonly pipelines: string }[];
    expect(rows.find(({ name }) => name === 'flux')?.pipelines).toContain('FluxPipeline');
  });
});
