import { encodeSafetensors } from '@langevin/io';
import { numbers, setDefaultEngine, UnsupportedError, UserError, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { pageFiles } from '../../src/checkpoint/page-files.ts';

beforeAll(() => setDefaultEngine(referenceEngine({ precision: 'float32' })));
afterAll(() => setDefaultEngine(undefined));

const weights = (name: string, value: number): Blob =>
  new Blob([encodeSafetensors({ [name]: { dtype: 'float32', shape: [1], data: Float32Array.of(value) } })]);
const index = (map: unknown): Blob => new Blob([JSON.stringify({ weight_map: map })]);

describe('files that a page has', () => {
  it('are a checkpoint, shards included', async () => {
    const files = await pageFiles({
      'config.json': new Blob(['{"_class_name": "AutoencoderKL", "scaling_factor": NaN}']),
      'diffusion_pytorch_model.safetensors.index.json': index({ a: 'one.safetensors', b: 'two.safetensors' }),
      'one.safetensors': weights('a', 1),
      'two.safetensors': weights('b', 2),
    });
    const { components } = await openCheckpoint(files);
    const { tensors } = await files.weights(components.get('model')!.weights!.name);
    expect(await numbers(tensors.get('b') as Tensor)).toEqual([2]);
    await expect(files.bytes('config.json', { maxBytes: 3 })).rejects.toThrow('file is too large');
    await expect(files.json('nothing.json')).rejects.toThrow('file is missing');
  });

  it.each(['../a', '/a', 'a//b', 'a\\b', 'a/../b', '', 'a\0'])('a path that leaves the checkpoint is refused: %j', async (path) => {
    await expect(pageFiles({ [path]: new Blob(['a']) })).rejects.toThrow('path is not below the checkpoint');
  });

  it('an index that names what is not beside it, or what its shard lacks, is refused', async () => {
    const opened = async (map: unknown) =>
      (await pageFiles({ 'a/m.index.json': index(map), 'a/one.safetensors': weights('a', 1) })).weights('a/m.index.json');
    await expect(opened({ a: '../one.safetensors' })).rejects.toThrow('names no files beside it');
    await expect(opened({ a: 7 })).rejects.toThrow('names no files beside it');
    await expect(opened(null)).rejects.toThrow('names no files beside it');
    await expect(opened({ a: 'two.safetensors' })).rejects.toThrow('file is missing');
    await expect(opened({ b: 'one.safetensors' })).rejects.toThrow('shard lacks a tensor');
  });

  it('a server that sends whole files, none, or another one in between is refused', async () => {
    const whole = await weights('a', 5).arrayBuffer();
    const answering =
      (answer: (from: number, to: number) => Response): typeof fetch =>
      (_, init) => {
        const [, from, to] = /bytes=(\d+)-(\d+)/u.exec(new Headers(init?.headers).get('range')!)!;
        return Promise.resolve(answer(Number(from), Number(to)));
      };
    const range = (size: number) => (from: number, to: number) =>
      new Response(whole.slice(from, to + 1), { status: 206, headers: { 'content-range': `bytes ${from}-${to}/${size}` } });
    const files = await pageFiles({ 'm.safetensors': 'http://a/m' }, { fetch: answering(range(whole.byteLength)) });
    const { tensors } = await files.weights('m.safetensors');
    expect(await numbers(tensors.get('a') as Tensor)).toEqual([5]);

    const opened = (fetch: typeof globalThis.fetch) => pageFiles({ 'm.safetensors': 'http://a/m' }, { fetch });
    await expect(opened(answering(() => new Response('all', { status: 200 })))).rejects.toThrow(UnsupportedError);
    await expect(opened(answering(() => new Response('', { status: 404 })))).rejects.toThrow('status=404');
    await expect(opened(answering(() => new Response('a', { status: 206 })))).rejects.toThrow(UserError);
    await expect(opened(() => Promise.reject(new TypeError('no network')))).rejects.toThrow('server does not answer');
    let calls = 0;
    const changing = answering((from, to) => range(whole.byteLength + calls++)(from, to));
    await expect((await opened(changing)).weights('m.safetensors')).rejects.toThrow('file changed on its server');
  });
});
