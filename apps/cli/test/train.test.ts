import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { addClass, greys, type Greys } from './greys.ts';
import { cli, type CliResult } from './run-cli.ts';

vi.setConfig({ testTimeout: 120_000 });

const ENGINE = ['--threads', '1'];

function train({ config, root }: Greys, ...rest: readonly string[]): Promise<CliResult> {
  return cli(['train', config, '--folder', join(root, 'run'), '--steps', '2', ...rest, ...ENGINE]);
}

function sample({ root }: Greys, folder: string, ...rest: readonly string[]): Promise<CliResult> {
  const out = join(root, 'out.png');
  return cli(['sample', '--checkpoint', folder, '--steps', '1', '--columns', '1', '--json', '--out', out, ...rest, ...ENGINE]);
}

/** The same configuration with other entries. */
async function changed({ root, content }: Greys, entries: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(root, 'changed.json');
  await writeFile(path, JSON.stringify({ ...content, ...entries }));
  return path;
}

it('a run keeps the names of its classes and knows its data', async () => {
  const all = await greys(['cat', 'dog']);
  const run = join(all.root, 'run');
  expect((await train(all)).code).toBe(0);

  // A class more, which comes first by name: labels of the run do not move.
  await addClass(all.images, 'ant', 100);
  expect(JSON.parse((await sample(all, run, '--classes', 'dog')).out)).toMatchObject({ labels: [1] });
  expect((await sample(all, run, '--classes', 'ant')).err).toContain('unknown class or category: "ant"');
  expect((await cli(['export', run, join(all.root, 'model')])).code).toBe(0);
  expect(JSON.parse(await readFile(join(all.root, 'model', 'labels.json'), 'utf8'))).toEqual({ classes: ['cat', 'dog'], categories: [] });
  const again = await cli(['export', run, join(all.root, 'model')]);
  expect(again.code).toBe(1);
  expect(again.err).toContain('write into it with --force');
  expect((await cli(['export', run, join(all.root, 'model'), '--force'])).code).toBe(0);
  const three = await changed(all, { backbone: { ...(all.content['backbone'] as object), num_class_embeds: 2 } });
  expect((await train({ ...all, config: three }, '--resume')).err).toContain('network has too few classes');
  await rm(join(all.images, 'ant'), { recursive: true });
  await addClass(all.images, 'cat', 41);
  const other = await train(all, '--resume');
  expect(other.code).toBe(1);
  expect(other.err).toContain(
    '[training/data] data are not those that the run was started with: pixels or label of item 0 ("cat/0.png") are others',
  );

  // The data moves, with what it was.
  await addClass(all.images, 'cat', 40);
  await rename(all.images, `${all.images}-moved`);
  expect((await sample(all, run, '--classes', 'cat')).code).toBe(0);
  expect((await cli(['export', run, join(all.root, 'again')])).code).toBe(0);
  const moved = await changed(all, { data: { ...(all.content['data'] as object), folder: `${all.images}-moved` } });
  const resumed = await train({ ...all, config: moved }, '--resume', '--steps', '3');
  expect(resumed.code, resumed.err).toBe(0);
  expect(resumed.err).toContain('changed since: data.folder: stored ');
});

it('a resume may learn at another rate, says so, and takes no other configuration', async () => {
  const all = await greys();
  await train(all);
  const slower = await changed(all, { optimizer: { name: 'adam', learningRate: 0.001 }, clipNorm: 1 });
  const resumed = await train({ ...all, config: slower }, '--resume', '--steps', '3');
  expect(resumed.code, resumed.err).toBe(0);
  expect(resumed.err).toContain('changed since: optimizer.learningRate: stored 0.01, given 0.001\n');
  expect(resumed.err).toContain('changed since: clipNorm: stored nothing, given 1\n');
  const seeded = await train({ ...all, config: await changed(all, { seed: 3 }) }, '--resume');
  expect(seeded).toMatchObject({ code: 1, out: '' });
  expect(seeded.err).toContain('seed: stored 2, given 3');
  expect(seeded.err).toContain('What may change: data, latents.autoencoder, optimizer.learningRate,');
});

it.each([
  // In the middle: ten steps in a row.
  [1e4, 20, /loss is 1000 times that of the first step: loss=\d+, first=1\.\d+, step=1\d, .*Last good checkpoint: none yet\. Train anew/],
  // At the end: the loss of the weights that were saved.
  [
    1e4,
    4,
    /loss is 1000 times that of the first step: .*, step after the last=5, .*Set aside, as its weights led here: .*step-00000004\.aside/,
  ],
  // At once.
  [1e15, 20, /(?:loss|gradNorm|weights) (?:is|are) (?:not finite|too large to be computed with).*Last good checkpoint: none yet\./],
])('a run that diverges has not finished: learning rate %d, %d steps', async (learningRate, steps, message) => {
  const all = await greys();
  const config = await changed(all, { optimizer: { name: 'adam', learningRate } });
  const { code, err, out } = await train({ ...all, config }, '--steps', String(steps));
  expect({ code, out }, err).toEqual({ code: 1, out: '' });
  expect(err).toMatch(message);
});

it('a damaged newest checkpoint is named, and the one before it goes on when it is asked for', async () => {
  const all = await greys();
  const checkpoints = join(all.root, 'run', 'checkpoints');
  await train(all, '--checkpoint-every', '1');
  await writeFile(join(checkpoints, 'step-00000002.safetensors'), 'damaged');
  const refused = await train(all, '--resume', '--steps', '3');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain(`newest checkpoint cannot be read: `);
  expect(refused.err).toContain('--resume-previous');
  expect((await sample(all, join(all.root, 'run'))).err).toContain('Give an earlier checkpoint in');
  expect((await sample(all, join(checkpoints, 'step-00000001.safetensors'))).code).toBe(0);
  const resumed = await train(all, '--resume-previous', '--steps', '3');
  expect(resumed.code, resumed.err).toBe(0);
  expect(resumed.err).toContain('resumed at step 1 in');
  expect((await readdir(checkpoints)).sort()).toEqual(['step-00000001.safetensors', 'step-00000002.aside', 'step-00000003.safetensors']);
});

it('folders that are none, and models into runs, are refused; nothing is written elsewhere', async () => {
  const all = await greys();
  await writeFile(join(all.root, 'file'), '');
  const before = await readdir('.');
  for (const [folder, message] of [
    ['', '[io/folder] path of the folder is not one: folder=""'],
    [join(all.root, 'file'), 'A part of the path is a file, not a folder.'],
    [join(all.root, 'file', 'run'), 'A part of the path is a file, not a folder.'],
  ] as const) {
    const { code, err } = await train(all, '--folder', folder);
    expect(code).toBe(1);
    expect(err).toContain(message);
  }
  const run = join(all.root, 'run');
  await train(all);
  expect((await cli(['export', run, run])).err).toContain(`[cli/export] folder is not empty: out=${run}, found=`);
  expect((await cli(['export', run, run, '--force'])).err).toContain('[pipelines/folder] folder is that of a training run');
  expect((await cli(['export', run, ''])).err).toContain('[io/folder] path of the folder is not one: folder=""');
  expect((await cli(['export', run, join(all.root, 'file')])).err).toContain('A part of the path is a file');
  expect(await readdir('.')).toEqual(before);
});

it('a start that fails leaves its folder free for another configuration', async () => {
  const all = await greys();
  const failed = await train({ ...all, config: await changed(all, { seed: 1, batchSize: 65_536, clipnorm: 1 }) });
  expect(failed.err).toContain('clipnorm is not known. Did you mean "clipNorm"? Known: name, seed, data,');
  const stopped = new AbortController();
  stopped.abort();
  await mkdir(join(all.root, 'run'));
  expect((await train(all)).code).toBe(0);
});

it('a folder is for one process: the second is refused while the first runs', async () => {
  const all = await greys();
  const stop = new AbortController();
  let second: Promise<CliResult> | undefined;
  const first = await cli(['train', all.config, '--folder', join(all.root, 'run'), '--steps', '100000', ...ENGINE], {
    signal: stop.signal,
    heard: (text) => {
      if (text.startsWith('started in')) second = train(all, '--resume').finally(() => stop.abort());
    },
  });
  expect(first.code, first.err).toBe(0);
  expect((await second!).err).toContain('[io/lock] folder is in use by another process');
});

it('classes of the data that the network does not take are remarked on, and sampling does without', async () => {
  const all = await greys();
  const { num_class_embeds: _, ...backbone } = all.content['backbone'] as { readonly num_class_embeds: number };
  const trained = await train({ ...all, config: await changed(all, { backbone }) });
  expect(trained.code, trained.err).toBe(0);
  expect(trained.err).toContain('labels "folder" are not used: the network takes none.');
  expect((await sample(all, join(all.root, 'run'), '--rows', '1')).code).toBe(0);
});

it('plugins add to every family, by file or by package, and are to blame for what goes wrong in them', async () => {
  const all = await greys();
  const plugin = join(all.root, 'plugin.mjs');
  await writeFile(
    plugin,
    `const images = Uint8Array.from({ length: 6 * 192 }, (_, i) => i % 251);
    const pixels = (i) => ({ width: 8, height: 8, channels: 3, data: images.subarray(i * 192, (i + 1) * 192) });
    const item = (i) => ({ ...about(i), kind: 'picture', image: pixels(i) });
    const about = (i) => ({ caption: 'a ramp', name: 'ramp ' + i, group: 'ramp ' + i, attributes: {} });
    const common = { licences: [{ name: 'CC0-1.0', attribution: 'none' }], options: [], parts: () => [] };
    export const data = [
      {
        ...common, name: 'ramps', summary: 'Ramps.',
        open: async () => ({ name: 'ramps', kind: 'picture', length: 6, remarks: [], load: async (i) => item(i), itemName: String, about }),
      },
      { ...common, name: 'broken', summary: 'Nothing.', open: async () => null.length },
    ];
    const at = (sigma) => ({ alpha: 1, sigma });
    const levels = (process, { steps }) => [...Array.from({ length: steps }, (_, i) => at(80 / 2 ** i)), at(0)];
    export const spacings = { halves: () => ({ name: 'halves', levels }) };
    const broken = { name: 'broken', order: 1, stochastic: false, paper: 'none', init: () => ({ history: [], values: {}, numbers: {} }) };
    export const samplers = {
      broken: () => ({ ...broken, step: () => undefined.x }),
      worse: () => { throw new RangeError('no such thing'); },
    };`,
  );
  const lists = await Promise.all(
    [
      ['list', 'samplers'],
      ['list', 'spacings'],
      ['data', 'list'],
    ].map((command) => cli([...command, '--plugin', plugin])),
  );
  // One of them cannot even be made.
  expect(lists[0]).toMatchObject({ code: 1, err: expect.stringContaining('sampler "worse", RangeError: no such thing') as string });
  expect(lists[1]!.out).toContain('halves');
  expect(lists[2]!.out).toContain('ramps');

  const config = await changed(all, { data: { name: 'ramps' }, labels: undefined });
  const trained = await train({ ...all, config }, '--plugin', plugin);
  expect(trained.code, trained.err).toBe(0);
  expect(trained.err).toContain('6 pictures of ramps');
  expect((await train({ ...all, config: await changed(all, { data: { name: 'ramp' } }) }, '--plugin', plugin)).err).toContain(
    'Did you mean "ramps"?',
  );
  const broken = await train({ ...all, config: await changed(all, { data: { name: 'broken' } }) }, '--plugin', plugin);
  expect(broken).toMatchObject({ code: 1 });
  expect(broken.err).toContain(`[cli/plugin] plugin failed: plugin=${plugin}, data set "broken", TypeError: `);

  const run = join(all.root, 'run');
  expect((await sample(all, run, '--plugin', plugin, '--spacing', 'halves', '--rows', '1')).code).toBe(0);
  for (const [name, what] of [
    ['broken', 'sampler "broken", TypeError: '],
    ['worse', 'sampler "worse", RangeError: no such thing. Correct the plugin'],
  ] as const) {
    const { code, err } = await sample(all, run, '--plugin', plugin, '--sampler', name, '--rows', '1');
    expect(code).toBe(1);
    expect(err).toContain(`[cli/plugin] plugin failed: plugin=${plugin}, ${what}`);
  }
  const unknown = await sample(all, run, '--plugin', plugin, '--spacing', 'halves', '--set-spacing', 'third=1', '--rows', '1');
  expect(unknown.err).toContain('[spacing/halves] unknown option: "third".');

  // The same as a package, found from where the command runs.
  const folder = join(all.root, 'node_modules', 'ramps-for-langevin');
  await mkdir(folder, { recursive: true });
  await cp(plugin, join(folder, 'index.js'));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'ramps-for-langevin', type: 'module', exports: { import: './index.js' } }),
  );
  const cwd = vi.spyOn(process, 'cwd').mockReturnValue(all.root);
  try {
    expect((await cli(['data', 'list', '--plugin', 'ramps-for-langevin'])).out).toContain('ramps');
  } finally {
    cwd.mockRestore();
  }
});

it('keeps decoded pictures on disk when it is asked to, and trains to the same bytes', async () => {
  const all = await greys(['cat', 'dog']);
  const cache = join(all.root, 'cache');
  const bytes: Buffer[] = [];
  for (const folder of ['plain', 'cached', 'again']) {
    const { code, err } = await cli(
      [
        ...['train', all.config, '--folder', join(all.root, folder), '--steps', '2', ...ENGINE],
        ...(folder === 'plain' ? [] : ['--cache-pictures']),
      ],
      { env: { LANGEVIN_CACHE: cache } },
    );
    expect(code, err).toBe(0);
    bytes.push(await readFile(join(all.root, folder, 'checkpoints', 'step-00000002.safetensors')));
    const kept = await readdir(join(cache, 'pictures'), { recursive: true, withFileTypes: true }).catch(() => []);
    expect(kept.filter((entry) => entry.isFile()).length > 0, folder).toBe(folder !== 'plain');
  }
  expect(bytes[1]!.equals(bytes[0]!)).toBe(true);
  expect(bytes[2]!.equals(bytes[0]!)).toBe(true);
});
