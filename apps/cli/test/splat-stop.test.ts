import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gaussians } from '@langevin/gaussians';
import { writeSplatFile } from '@langevin/io/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCli } from './program.ts';
import { cli, temporaryFolder } from './run-cli.ts';
import { blobs } from './splat-scenes.ts';

/** Copies of the blobs, for files that take a while. */
function crowd(copies: number): Gaussians {
  const one = blobs();
  const many = (array: Float32Array): Float32Array => {
    const all = new Float32Array(copies * array.length);
    for (let i = 0; i < copies; i++) all.set(array, i * array.length);
    return all;
  };
  return {
    count: copies * one.count,
    degree: 0,
    means: many(one.means),
    quaternions: many(one.quaternions),
    logScales: many(one.logScales),
    opacityLogits: many(one.opacityLogits),
    sh: many(one.sh),
  };
}

describe('a command that the user stops writes nothing and ends with 1', () => {
  it('a film, between two frames', async () => {
    const root = await temporaryFolder();
    const ply = join(root, 'scene.ply');
    await writeSplatFile(ply, blobs());
    for (const ending of ['gif', 'mp4']) {
      const stop = new AbortController();
      const started = performance.now();
      setTimeout(() => stop.abort(), 150);
      const out = join(root, `turn.${ending}`);
      const {
        code,
        out: said,
        err,
      } = await cli(['splat', 'render', ply, '--out', out, '--frames', '1000', '--size', '300x200', '--threads', '1'], {
        signal: stop.signal,
      });
      expect({ code, said }, err).toEqual({ code: 1, said: '' });
      expect(err).toMatch(/\[cli\/stop\] stopped before the end: frames done=\d+ of 1000\. Nothing was written/);
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(await readdir(root)).toEqual(['scene.ply']);
    }
  });

  it.each([
    ['convert', (root: string) => [join(root, 'scene.ply'), join(root, 'out.spz')]],
    ['compose', (root: string) => [join(root, 'scene.ply'), join(root, 'scene.ply'), '--out', join(root, 'out.ply')]],
    ['info', (root: string) => [join(root, 'scene.ply')]],
    ['render', (root: string) => [join(root, 'scene.ply'), '--out', join(root, 'out.png')]],
  ] as const)('%s, while it reads or writes', async (name, args) => {
    const root = await temporaryFolder();
    await writeSplatFile(join(root, 'scene.ply'), crowd(20_000));
    const { code, out, err } = await cli(['splat', name, ...args(root)], { signal: AbortSignal.abort() });
    expect({ code, out }, err).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/\[cli\/stop\] stopped before the end: bytes of ".*scene\.ply" read=0 of \d+\. Nothing was written/);
    expect(await readdir(root)).toEqual(['scene.ply']);
  });

  it('and leaves what was there before', async () => {
    const root = await temporaryFolder();
    await writeSplatFile(join(root, 'scene.ply'), blobs());
    await writeFile(join(root, 'out.spz'), 'precious');
    expect((await cli(['splat', 'convert', join(root, 'scene.ply'), join(root, 'out.spz')], { signal: AbortSignal.abort() })).code).toBe(1);
    expect(await readFile(join(root, 'out.spz'), 'utf8')).toBe('precious');
  });
});

describe('signals', () => {
  let program: string;
  beforeAll(async () => {
    program = await buildCli();
  }, 60_000);

  /** Runs the command line in a process and sends it a signal when its folder has a file that is being written. */
  async function stopped(root: string, args: readonly string[], signals: readonly NodeJS.Signals[]) {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part: Buffer) => (out += part.toString()));
    child.stderr.on('data', (part: Buffer) => (err += part.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver && !(await readdir(root)).some((name) => name.endsWith('.tmp'))) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const signal of signals) child.kill(signal);
    return { code: await ended, out, err };
  }

  it.each([[['SIGINT']], [['SIGTERM']], [['SIGTERM', 'SIGINT']]] as const)(
    'end a film at once, with code 1 and no file: %j',
    async (signals) => {
      const root = await temporaryFolder();
      await mkdir(join(root, 'out'));
      await writeSplatFile(join(root, 'scene.ply'), blobs());
      const args = ['splat', 'render', join(root, 'scene.ply'), '--out', join(root, 'out', 'turn.gif'), '--frames', '1000'];
      const { code, out, err } = await stopped(join(root, 'out'), args, signals);
      expect({ code, out }, err).toEqual({ code: 1, out: '' });
      if (signals.length === 1) expect(err).toContain('[cli/stop] stopped before the end: frames done=');
      expect(await readdir(join(root, 'out'))).toEqual([]);
    },
    60_000,
  );

  it('a command that waits for what cannot come says so, and ends with 1', async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, 'mine.mjs'), 'await new Promise(() => {});');
    const { code, out, err } = await stopped(root, ['list', 'samplers', '--plugin', join(root, 'mine.mjs')], []);
    expect({ code, out }, err).toEqual({ code: 1, out: '' });
    expect(err).toContain('[cli/main] the command waits for something that cannot come any more');
  }, 60_000);
});
