import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSplatFile, writeSplatFile } from '@langevin/io/node';
import { benchSplats, syntheticCloud } from '@langevin/io/testing';

/** What a large scene costs to open and to keep open. */
export interface LoadingRow {
  readonly count: number;
  readonly fileBytesPerGaussian: number;
  readonly readMs: number;
  /** By which the process grew, with an order by depth. */
  readonly memoryBytesPerGaussian: number;
  /** Of which this is the arrays and the order themselves. */
  readonly arrayBytesPerGaussian: number;
}

/** Reads SPZ of degree 3 from memory, and once more in a process of its own to see what it weighs. */
export async function loadingSpeed(count: number): Promise<LoadingRow> {
  const [spz] = await benchSplats({ count, degree: 3, formats: ['spz'] });
  const folder = mkdtempSync(join(tmpdir(), 'langevin-bench-'));
  try {
    const path = join(folder, 'cloud.spz');
    await writeSplatFile(path, syntheticCloud({ count, degree: 3, seed: 1 }));
    const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
    const child = spawnSync(process.execPath, ['--expose-gc', ...process.execArgv, main, 'load-for-memory', path], { encoding: 'utf8' });
    if (child.status !== 0)
      throw new Error(`[bench/gaussians] the process that loads a scene failed: status=${child.status}. ${child.stderr}`);
    const { memory, arrays } = JSON.parse(child.stdout) as { readonly memory: number; readonly arrays: number };
    return {
      count,
      fileBytesPerGaussian: spz!.fileBytesPerGaussian,
      readMs: spz!.readMs,
      memoryBytesPerGaussian: memory / count,
      arrayBytesPerGaussian: arrays / count,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In a process of its own: opens a file, orders its rows by depth as a viewer has to, and says by how many bytes it has grown. */
export async function loadForMemory(path: string): Promise<string> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const cloud = await readSplatFile(path);
  const { means, quaternions, logScales, opacityLogits, sh } = cloud;
  const keys = Float32Array.from({ length: cloud.count }, (_, n) => means[3 * n + 2]!);
  const order = Uint32Array.from(keys, (_, n) => n).sort((a, b) => keys[a]! - keys[b]!);
  globalThis.gc?.();
  const memory = process.memoryUsage().rss - before;
  const arrays = [means, quaternions, logScales, opacityLogits, sh, keys, order].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return JSON.stringify({ memory, arrays });
}
