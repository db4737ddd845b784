import { mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { hubFiles } from '../../src/checkpoint/hub/hub-files.ts';
import { parseHubId } from '../../src/checkpoint/hub/hub-id.ts';
import { surveyCheckpoint } from '../../src/checkpoint/survey.ts';
import { resolveHub } from '../../src/checkpoint/hub/hub-options.ts';
import { COMMIT, serveHub, type Fault, type HubServerOptions } from './hub-server.ts';
import { scratch } from './scratch.ts';

const quick = { backoff: 1, retries: 2 };
const WEIGHTS = Float32Array.from({ length: 5000 }, (_, i) => i);

async function put(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
}

/** A model with two variants and a pickle, of which only one file is wanted; a hub that has it; an empty cache. */
async function hubOf(options: HubServerOptions = {}) {
  const root = await scratch();
  const folder = join(root, 'model');
  const tensors = { weight: { dtype: 'float32', shape: [WEIGHTS.length], data: WEIGHTS } } as const;
  await put(join(folder, 'model_index.json'), { _class_name: 'DDPMPipeline', unet: ['diffusers', 'UNet2DModel'] });
  await put(join(folder, 'unet/config.json'), { _class_name: 'UNet2DModel' });
  await put(join(folder, 'unet/empty.txt'), '');
  await put(join(folder, '.gitattributes'), '*.safetensors filter=lfs');
  await writeSafetensors(join(folder, 'unet/diffusion_pytorch_model.safetensors'), tensors);
  await writeSafetensors(join(folder, 'unet/diffusion_pytorch_model.fp16.safetensors'), tensors);
  await put(join(folder, 'unet/diffusion_pytorch_model.bin'), 'pickle');
  const server = await serveHub(folder, options);
  const cache = join(root, 'cache');
  const repository = join(cache, 'models--owner--tiny');
  return { ...server, cache, repository, folder, options: { endpoint: server.endpoint, cache, ...quick } };
}

const MODEL = 'unet/diffusion_pytorch_model.safetensors';

describe('hubFiles', () => {
  it('downloads what is opened and nothing else, into the layout of the hub', async () => {
    const { options, repository, folder, fetched } = await hubOf();
    const checkpoint = await openCheckpoint('owner/tiny', { hub: options });
    expect(fetched()).toEqual(['model_index.json', 'unet/config.json']);
    expect(checkpoint.files.label).toBe('owner/tiny@0123456789ab');
    expect(checkpoint.files.sizes.has('.gitattributes')).toBe(false);
    const { tensors } = await checkpoint.files.weights(MODEL);
    expect([...tensors.keys()]).toEqual(['weight']);
    expect(fetched()).toEqual(['model_index.json', 'unet/config.json', MODEL]);
    expect(await readFile(join(repository, 'refs/main'), 'utf8')).toBe(COMMIT);
    const link = await readlink(join(repository, 'snapshots', COMMIT, MODEL));
    expect(link).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/u);
    expect((await readSafetensors(join(repository, 'snapshots', COMMIT, MODEL))).tensors.get('weight')!.data).toEqual(WEIGHTS);
    expect((await readdir(join(repository, 'blobs'))).every((name) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u.test(name))).toBe(true);
    expect(await checkpoint.files.bytes('unet/empty.txt', { maxBytes: 0 })).toHaveLength(0);
    expect(await readFile(join(repository, 'snapshots', COMMIT, 'model_index.json'), 'utf8')).toBe(
      await readFile(join(folder, 'model_index.json'), 'utf8'),
    );
  });

  it('takes what is in the cache, offline and online, and says offline what is not', async () => {
    const { options, fetched, asked } = await hubOf();
    await expect(hubFiles('owner/tiny', { ...options, network: 'offline' })).rejects.toThrow('model is not in the cache');
    const online = await openCheckpoint('owner/tiny@refs/pr/1', { hub: options });
    await online.files.weights(MODEL);
    const before = fetched().length;
    await (await openCheckpoint('owner/tiny@refs/pr/1', { hub: options })).files.weights(MODEL);
    expect(fetched()).toHaveLength(before);
    const requests = asked.length;
    const offline = await openCheckpoint('owner/tiny', { hub: { ...options, revision: 'refs/pr/1', network: 'offline' } });
    expect(offline.files.label).toBe('owner/tiny@0123456789ab');
    await offline.files.weights(MODEL);
    await hubFiles(`owner/tiny@${COMMIT}`, { ...options, network: 'offline' });
    await expect(offline.files.weights('unet/diffusion_pytorch_model.fp16.safetensors')).rejects.toThrow('file is missing');
    await expect(hubFiles('owner/tiny', { ...options, network: 'offline' })).rejects.toThrow('revision=main');
    expect(asked).toHaveLength(requests);
  });

  it('goes on where a connection broke, also where Python was ended, and in another process', async () => {
    let cuts = 0;
    const { options, asked, repository, folder } = await hubOf({
      fault: (request, response) => {
        if (!request.url!.startsWith('/store/') || cuts++ > 0) return false;
        response.writeHead(200, { 'content-length': 20_080 });
        response.write(Buffer.alloc(0));
        void readFile(join(folder, MODEL)).then((bytes) =>
          response.write(bytes.subarray(0, 7000), () => setTimeout(() => response.destroy(), 20)),
        );
        return true;
      },
    });
    const size = (await stat(join(folder, MODEL))).size;
    expect(size).toBe(20_080);
    const files = await hubFiles('owner/tiny', options);
    await files.weights(MODEL);
    expect(asked.filter(({ path }) => path.startsWith('/store/')).map(({ range }) => range)).toEqual([undefined, 'bytes=7000-']);
    // What Python left is taken, and its own file is let be.
    const [blob] = (await readdir(join(repository, 'blobs'))).filter((name) => name.length === 64);
    const bytes = await readFile(join(folder, MODEL));
    await rm(join(repository, 'blobs', blob!));
    await writeFile(join(repository, 'blobs', `${blob}.incomplete`), bytes.subarray(0, 9000));
    await files.weights(MODEL);
    expect(asked.at(-1)!.range).toBe('bytes=9000-');
    expect((await readdir(join(repository, 'blobs'))).filter((name) => name.includes('incomplete'))).toEqual([`${blob}.incomplete`]);
    // Something else under that name: its hash says so, and it is fetched anew.
    await rm(join(repository, 'blobs', blob!));
    await writeFile(join(repository, 'blobs', `${blob}.incomplete`), Buffer.alloc(9000));
    await files.weights(MODEL);
    expect(await readFile(join(repository, 'blobs', blob!))).toEqual(bytes);
  });

  it('sends the token to the hub alone', async () => {
    const { options, asked, endpoint } = await hubOf({ token: 'hf_secret' });
    await expect(hubFiles('owner/tiny', options)).rejects.toThrow(
      `model is gated: id=owner/tiny, status=401, token=none. Accept its licence at ${endpoint}/owner/tiny, then set HF_TOKEN`,
    );
    const files = await hubFiles('owner/tiny', { ...options, token: 'hf_secret' });
    asked.length = 0;
    await files.weights(MODEL);
    expect(asked.map(({ path, authorization }) => [path.split('/')[1], authorization])).toEqual([
      ['owner', 'Bearer hf_secret'],
      ['store', undefined],
    ]);
  });

  it('downloads a file once where two ask for it at once, and one that a process was ended in', async () => {
    const { options, fetched } = await hubOf();
    const files = await hubFiles('owner/tiny', options);
    const other = await hubFiles('owner/tiny', options);
    await Promise.all([files.weights(MODEL), other.weights(MODEL), files.json('unet/config.json')]);
    expect(fetched().filter((path) => path === MODEL)).toHaveLength(1);
  });

  it('fetches again what is in the cache with another size, or as a link that leads nowhere', async () => {
    const { options, repository, fetched } = await hubOf();
    const files = await hubFiles('owner/tiny', options);
    await files.json('unet/config.json');
    const place = join(repository, 'snapshots', COMMIT, 'unet/config.json');
    const blob = join(dirname(place), await readlink(place));
    await writeFile(blob, '{}');
    expect(await files.json('unet/config.json')).toEqual({ _class_name: 'UNet2DModel' });
    await rm(blob);
    expect(await files.json('unet/config.json')).toEqual({ _class_name: 'UNet2DModel' });
    expect(fetched()).toHaveLength(3);
    await rm(place);
    await put(join(repository, '../secret.json'), { _class_name: 'UNet2DModel' });
    await symlink(join(repository, '../secret.json'), place);
    await expect(files.json('unet/config.json')).rejects.toThrow('leads out of it');
  });

  it('tells how far it is, and stops when it is told to', async () => {
    const seen: (readonly [string, number, number])[] = [];
    const stop = new AbortController();
    const { options, repository } = await hubOf();
    const files = await hubFiles('owner/tiny', {
      ...options,
      signal: stop.signal,
      onProgress: ({ part, done, total }) => {
        seen.push([part, done, total]);
        if (part === MODEL && done > 0) stop.abort();
      },
    });
    await files.json('unet/config.json');
    expect(seen.at(-1)).toEqual(['unet/config.json', 29, 29]);
    await expect(files.weights(MODEL)).rejects.toThrow(UserError);
    expect((await readdir(join(repository, 'blobs'))).some((name) => /^[0-9a-f]{64}$/u.test(name))).toBe(false);
    await expect(hubFiles('owner/tiny', { ...options, signal: AbortSignal.abort() })).rejects.toThrow('stopped before the end');
  });

  it('waits and asks again where the hub is busy, and says so where it stays busy', async () => {
    let busy = 2;
    const fault: Fault = (_, response) => {
      if (busy-- <= 0) return false;
      response.writeHead(429, { 'retry-after': '0' });
      response.end('slow down');
      return true;
    };
    const { options } = await hubOf({ fault });
    expect((await hubFiles('owner/tiny', options)).sizes.get('unet/config.json')).toBe(29);
    busy = 100;
    await expect(hubFiles('owner/tiny', options)).rejects.toThrow(/does not answer: .*status 429.*HF_HUB_OFFLINE=1/u);
  });

  it('refuses content whose hash is not that of the listing', async () => {
    const { options, repository } = await hubOf({
      listed: (entry) => (entry['path'] === MODEL ? { ...entry, lfs: { oid: 'a'.repeat(64), size: entry['size'] } } : entry),
    });
    const files = await hubFiles('owner/tiny', options);
    await expect(files.weights(MODEL)).rejects.toThrow(/SHA-256 is [0-9a-f]{64}, wanted aaaa/u);
    expect(await readdir(join(repository, 'blobs'))).toEqual([]);
  });

  it('refuses a small file whose git hash is another', async () => {
    const { options } = await hubOf({ listed: (entry) => (entry['lfs'] ? entry : { ...entry, oid: 'b'.repeat(40) }) });
    await expect(openCheckpoint('owner/tiny', { hub: options })).rejects.toThrow(/git hash is [0-9a-f]{40}, wanted bbbb/u);
  });

  it.each([
    ['a path out of the folder', { path: '../../evil' }, /path="\.\.\/\.\.\/evil"/u],
    ['a path of Windows', { path: 'C:\\evil' }, /path=/u],
    ['an absolute path', { path: '/etc/passwd' }, /path="\/etc\/passwd"/u],
    ['no path', { path: 3 }, /path=3/u],
    ['a size below 0', { size: -1, lfs: undefined }, /size=-1/u],
    ['a size that no disk has', { size: 1e18, lfs: undefined }, /size=/u],
    ['a hash that is a path', { oid: '../evil', lfs: undefined }, /oid="\.\.\/evil"/u],
  ])('refuses a listing with %s', async (_, change, message) => {
    const { options } = await hubOf({ listed: (entry) => ({ ...entry, ...change }) });
    await expect(hubFiles('owner/tiny', options)).rejects.toThrow(UserError);
    await expect(hubFiles('owner/tiny', options)).rejects.toThrow(message);
  });

  it.each([
    ['a page', (response: Parameters<Fault>[1]) => response.end('<html>'), /not of its protocol/u],
    ['a number', (response: Parameters<Fault>[1]) => response.end('3'), /not of its protocol/u],
    ['a commit that is a path', (response: Parameters<Fault>[1]) => response.end('{"sha":"../x"}'), /commit="\.\.\/x"/u],
    [
      'the way to another server',
      (response: Parameters<Fault>[1]) => response.writeHead(302, { location: 'http://127.0.0.2:1/' }).end(),
      /hub leads to another server/u,
    ],
  ])('refuses a hub that answers with %s', async (_, answer, message) => {
    const { options } = await hubOf({ fault: (_request, response) => (answer(response), true) });
    await expect(hubFiles('owner/tiny', { ...options, token: 'hf_secret' })).rejects.toThrow(message);
  });

  it('does not download a configuration of gigabytes', async () => {
    const { options, fetched } = await hubOf({ listed: (entry) => ({ ...entry, size: 2 ** 40, lfs: undefined }) });
    await expect(openCheckpoint('owner/tiny', { hub: options })).rejects.toThrow('It was not downloaded');
    expect(fetched()).toEqual([]);
  });

  it('says what is wrong with an id, a revision, a hub that is not there', async () => {
    const { options } = await hubOf();
    await expect(hubFiles('owner/other', options)).rejects.toThrow('model does not exist: id=owner/other');
    await expect(hubFiles('owner/tiny@other', options)).rejects.toThrow('model has no such revision: id=owner/tiny, revision=other');
    await expect(hubFiles('owner/tiny', { ...options, revision: '../x' })).rejects.toThrow('revision is not valid');
    await expect(hubFiles('owner/tiny', { ...options, endpoint: 'http://127.0.0.1:2' })).rejects.toThrow(/does not answer.*ECONNREFUSED/u);
    await expect(hubFiles('owner', options)).rejects.toThrow('not the id of a model');
    for (const wrong of [{ endpoint: 'ftp://x' }, { token: 'a b' }, { network: 'of' as 'offline' }, { retries: -1 }])
      await expect(hubFiles('owner/tiny', { ...options, ...wrong })).rejects.toThrow(UserError);
  });

  it('is surveyed without a download of its weights, and counted once they are here', async () => {
    const { options, fetched } = await hubOf();
    const far = await surveyCheckpoint('owner/tiny', { hub: options });
    expect(far.components).toEqual([{ name: 'unet', className: 'UNet2DModel', weights: MODEL, bytes: 20_080 }]);
    expect(fetched()).not.toContain(MODEL);
    await (await hubFiles('owner/tiny', options)).weights(MODEL);
    const { components } = await surveyCheckpoint('owner/tiny', { hub: options });
    expect(components[0]).toMatchObject({ bytes: 20_000, counted: { tensors: 1, elements: 5000, dtypes: { float32: 5000 } } });
  });

  it('takes a folder where there is one, and an id otherwise', async () => {
    const { options, folder, asked } = await hubOf();
    const before = process.cwd();
    const root = await scratch();
    await mkdir(join(root, 'owner'));
    await symlink(folder, join(root, 'owner/tiny'));
    try {
      process.chdir(root);
    } catch {
      // Threads cannot change their folder; an absolute path shows the same.
    }
    const given = process.cwd() === before ? join(root, 'owner/tiny') : 'owner/tiny';
    expect((await openCheckpoint(given, { hub: options })).files.label).toBe(given);
    if (process.cwd() !== before) process.chdir(before);
    expect(asked).toEqual([]);
    await expect(openCheckpoint('./owner/none', { hub: options })).rejects.toThrow('nothing is there');
  });
});

describe('parseHubId', () => {
  it.each([
    ['a/b', ['a', 'b', 'main']],
    ['runwayml/stable-diffusion-v1-5@fp16', ['runwayml', 'stable-diffusion-v1-5', 'fp16']],
    ['a/b@refs/pr/12', ['a', 'b', 'refs/pr/12']],
    ['a/b@v1.0', ['a', 'b', 'v1.0']],
  ])('reads %s', (text, [owner, name, revision]) => {
    expect(parseHubId(text)).toEqual({ owner, name, revision });
  });

  it.each([
    'a',
    'a/b/c',
    '/a/b',
    './a',
    '../a',
    'a/..',
    'a--b/c',
    'a/b.git',
    'a/b@',
    'a/b@x@y',
    'a/b@../x',
    'a/b@x//y',
    'a /b',
    'a/b@-x',
    'a\\b/c',
  ])('refuses %s', (text) => {
    expect(parseHubId(text)).toBeUndefined();
  });
});

describe('resolveHub', () => {
  it('reads the variables of huggingface_hub', () => {
    expect(resolveHub({ env: { HF_HOME: '/x' } }).cache).toBe('/x/hub');
    expect(resolveHub({ env: { HF_HOME: '/x', HF_HUB_CACHE: '/y' } }).cache).toBe('/y');
    expect(resolveHub({ env: { XDG_CACHE_HOME: '/z' } }).cache).toBe('/z/huggingface/hub');
    expect(resolveHub({ env: {} }).endpoint).toBe('https://huggingface.co');
    expect(resolveHub({ env: { HF_ENDPOINT: 'https://mirror.example/hf/' } }).endpoint).toBe('https://mirror.example/hf');
    expect(resolveHub({ env: { HF_HUB_OFFLINE: 'true' } }).network).toBe('offline');
    expect(resolveHub({ env: { HF_HUB_OFFLINE: '0' } }).network).toBe('online');
    expect(resolveHub({ network: 'online', env: { HF_HUB_OFFLINE: '1' } }).network).toBe('online');
    expect(resolveHub({ env: { HF_TOKEN: 'hf_x' } }).token).toBe('hf_x');
  });
});
