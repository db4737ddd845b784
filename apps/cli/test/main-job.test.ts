import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readImage } from '@langevin/io/node';
import { expect, it, vi } from 'vitest';
import { greys } from './greys.ts';
import { cli } from './run-cli.ts';

vi.setConfig({ testTimeout: 240_000 });

const ENGINE = ['--threads', '1'];

it('trains, stops, resumes, exports, says what it made, and samples from it', async () => {
  const { root, config } = await greys();
  const run = join(root, 'run');
  const trained = await cli(['train', config, '--folder', run, '--steps', '4', '--evaluate-every', '4', ...ENGINE]);
  expect(trained.code, trained.err).toBe(0);
  expect(trained.out).toContain(`report      ${join(run, 'report.html')}`);
  expect(trained.out).toMatch(/^finished at step 4, last loss [\d.]+\n/);
  expect(trained.err).toContain('greys: 6 pictures');
  await access(join(run, 'evaluations', 'step-00000004', 'samples.png'));

  const refused = await cli(['train', config, '--folder', run, '--steps', '6', ...ENGINE]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('[training/train] there is a run already');

  // Whoever asked it to stop did so before its first step: nothing is lost, and it says how to go on.
  const stopped = await cli(['train', config, '--folder', run, '--steps', '6', '--resume', ...ENGINE], { signal: AbortSignal.abort() });
  expect(stopped).toMatchObject({ code: 0, out: expect.stringMatching(/^stopped at step 4\n[\s\S]*--resume\n$/) as string });

  // In the middle of a run: the step that is under way is finished and kept.
  const stop = new AbortController();
  const cut = await cli(['train', config, '--folder', join(root, 'cut'), '--steps', '1000000', '--checkpoint-every', '3', ...ENGINE], {
    signal: stop.signal,
    heard: (text) => text.includes('checkpoint ') && stop.abort(),
  });
  expect(cut).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^stopped at step [34], last loss [\d.]+\n[\s\S]*--resume\n$/) as string,
  });
  expect(JSON.parse((await cli(['info', join(root, 'cut'), '--json'])).out)).toMatchObject({
    kind: 'run',
    step: Number(/step (\d)/.exec(cut.out)![1]),
  });

  const resumed = await cli(['train', config, '--folder', run, '--steps', '6', '--resume', '--json', ...ENGINE]);
  expect(JSON.parse(resumed.out)).toMatchObject({
    step: 6,
    reason: 'finished',
    report: join(run, 'report.html'),
    images: 6,
    engine: 'onnxruntime',
    device: 'cpu',
  });

  const model = join(root, 'model');
  const exported = JSON.parse((await cli(['export', run, model, '--dtype', 'float16', '--json'])).out) as {
    parameters: number;
    bytes: number;
    step: number;
  };
  expect(exported).toMatchObject({ step: 6, dtype: 'float16', weights: 'average' });
  expect(exported.bytes).toBeGreaterThan(2 * exported.parameters);
  const info = await cli(['info', model]);
  expect(info.out).toMatch(/numbers in \d+ tensors, [\d.]+ kB \(F16: /);
  expect(info.out).toContain('_class_name: "UNet2DModel"');
  expect(JSON.parse((await cli(['info', run, '--json'])).out)).toMatchObject({ kind: 'run', step: 6 });

  const picture = join(root, 'deep', 'grid.png');
  const sampled = await cli([
    'sample',
    '--checkpoint',
    model,
    '--steps',
    '3',
    '--columns',
    '4',
    '--rows',
    '3',
    '--classes',
    'light,dark',
    '--scale',
    '2',
    '--seed',
    '5',
    '--out',
    picture,
    '--json',
    ...ENGINE,
  ]);
  expect(sampled.code, sampled.err).toBe(0);
  const result = JSON.parse(sampled.out) as Record<string, unknown>;
  expect(result).toMatchObject({
    out: picture,
    images: 12,
    rows: 3,
    columns: 4,
    seed: 5,
    sampler: 'heun',
    spacing: 'karras',
    steps: 3,
    nfe: 5,
    batches: 1,
  });
  // Three rows for two classes: the first comes again.
  expect(result['labels']).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
  const image = await readImage(picture);
  expect([image.width, image.height]).toEqual([result['width'], result['height']]);
  expect(image.height).toBe(2 + 3 * 18);

  const text = await cli([
    'sample',
    '--checkpoint',
    run,
    '--steps',
    '2',
    '--columns',
    '2',
    '--sampler',
    'euler',
    '--out',
    join(root, 'again.webp'),
    ...ENGINE,
  ]);
  expect(text.out).toMatch(/picture +.*again\.webp\n.*4 images in 2 rows of 2[\s\S]*seed +0\nNFE +2 for each image/);
  expect(text.out).toMatch(/time per step +\d+ ms[\s\S]*total +[\d.]+ s\n$/);

  const plugin = join(root, 'plugin.mjs');
  await writeFile(
    plugin,
    `export const samplers = {
    mine: Object.assign(({ strength = 1 } = {}) => ({
      name: 'mine at ' + strength, order: 1, stochastic: false, paper: 'none',
      init: () => ({ history: [], values: {}, numbers: {} }),
      step: async ({ x, from, to, denoise, algebra }) => {
        const denoised = await denoise(x, from);
        const ratio = to.sigma / from.sigma;
        return { x: algebra.linear([ratio, x], [strength * (to.alpha - ratio * from.alpha), denoised]), denoised };
      },
    }), { options: ['strength'] }),
  };`,
  );
  const one = [
    'sample',
    '--checkpoint',
    model,
    '--steps',
    '2',
    '--columns',
    '1',
    '--rows',
    '1',
    '--out',
    join(root, 'mine.png'),
    '--json',
    ...ENGINE,
  ];
  const mine = await cli([...one, '--plugin', plugin, '--sampler', 'mine', '--set', 'strength=0.5']);
  expect(mine.code, mine.err).toBe(0);
  expect(JSON.parse(mine.out)).toMatchObject({ images: 1, sampler: 'mine at 0.5', nfe: 2 });
  expect((await cli([...one, '--plugin', plugin, '--sampler', 'mine', '--set', 'strenght=0.5'])).err).toContain(
    '[sampler/mine] unknown option: "strenght". Did you mean "strength"?',
  );
  expect((await cli([...one, '--sampler', 'ddim', '--set', 'ets=1'])).err).toContain(
    '[sampler/ddim] unknown option: "ets". Did you mean "eta"?',
  );
  const noted = await cli([...one, '--sampler', 'dpmpp_3m_sde_gpu']);
  expect(noted.code, noted.err).toBe(0);
  expect(JSON.parse(noted.out)).toMatchObject({
    sampler: 'dpmpp-3m-sde',
    noise: 'images',
    note: expect.stringContaining('There the noise is drawn on the GPU') as string,
  });
  expect(noted.err).toContain('dpmpp_3m_sde_gpu: ');
  expect(noted.err).toContain('Brownian tree: --noise brownian-tree');
  const along = await cli([...one, '--sampler', 'dpmpp_3m_sde', '--noise', 'brownian-tree']);
  expect(along.code, along.err).toBe(0);
  expect(JSON.parse(along.out)).toMatchObject({ sampler: 'dpmpp-3m-sde', noise: 'brownian-tree' });
  expect(along.err).not.toContain('Brownian tree');
  expect((await cli([...one, '--sampler', 'ddim', '--noise', 'white'])).err).toContain('images, brownian-tree');

  const table = await cli([...one, '--sampler', 'euler', '--spacing', 'gits', '--set-spacing', 'table=[80,4,0.01]']);
  expect(table.code, table.err).toBe(0);
  expect(JSON.parse(table.out)).toMatchObject({ sampler: 'euler', spacing: 'gits', nfe: 2 });

  const nested = await cli([
    ...one,
    '--sampler',
    'restart',
    '--set',
    'base={"name":"euler","sChurn":1}',
    '--set',
    'intervals=[{"sigmaMin":0.1,"sigmaMax":1,"repeats":1,"steps":2}]',
  ]);
  expect(nested.code, nested.err).toBe(0);
  expect(JSON.parse(nested.out)).toMatchObject({ sampler: 'restart', nfe: 4 });
  expect((await cli([...one, '--sampler', 'restart', '--set', 'base=euler', '--set', 'intervals=[]'])).code).toBe(0);
  expect((await cli([...one, '--sampler', 'restart', '--set', 'base=3'])).err).toContain(
    '[cli/sample] option is a sampler: --set base=3. Give a name, or an object with one',
  );
  expect((await cli([...one, '--sampler', 'restart', '--set', 'base={"name":"eler"}'])).err).toContain('Did you mean "euler"?');
  expect((await cli([...one, '--sampler', 'restart', '--set', 'base={"name":'])).err).toContain(
    'A value that begins with a bracket is JSON',
  );
  expect((await cli([...one, '--sampler', 'deis', '--set', 'process=vp-cosine', '--set', 'order=2'])).code).toBe(0);

  expect((await cli(['sample', '--checkpoint', model, '--classes', 'ligth', ...ENGINE])).err).toContain(
    '[cli/sample] unknown class or category: "ligth". Did you mean "light"? Known: dark, light.',
  );
  const early = await cli(['sample', '--checkpoint', model, '--out', join(root, 'never.png'), ...ENGINE], { signal: AbortSignal.abort() });
  expect(early).toMatchObject({
    code: 1,
    err: expect.stringContaining('[cli/sample] stopped before the end: steps done=0 of 18. Nothing was written') as string,
  });
  expect((await cli(['sample', '--checkpoint', model, '--device', 'cdua', ...ENGINE])).err).toContain(
    '[cli/engine] unknown device of onnxruntime: "cdua". Did you mean "cuda"?',
  );
});
