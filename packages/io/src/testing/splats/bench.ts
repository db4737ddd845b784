import type { ShDegree } from '../../splats/cloud.ts';
import { bytesInMemory } from '../../splats/cloud.ts';
import { readSplats, splatFormats, writeSplats } from '../../splats/registry.ts';
import { syntheticCloud } from './synthetic-cloud.ts';

export interface SplatBenchOptions {
  /** @default 1_000_000 */
  readonly count?: number;
  /** @default 3 */
  readonly degree?: ShDegree;
  /** Names of formats. @default all that are written */
  readonly formats?: readonly string[];
  /** Readings of each file, of which the median counts. @default 3 */
  readonly repeats?: number;
}

export interface SplatBenchRow {
  readonly format: string;
  readonly count: number;
  readonly degree: ShDegree;
  readonly fileBytesPerGaussian: number;
  readonly memoryBytesPerGaussian: number;
  readonly writeMs: number;
  /** Median of the readings. */
  readonly readMs: number;
}

/** Time to write and read a synthetic cloud in every format that is written. */
export async function benchSplats({ count = 1_000_000, degree = 3, formats, repeats = 3 }: SplatBenchOptions = {}): Promise<
  readonly SplatBenchRow[]
> {
  const cloud = syntheticCloud({ count, degree, seed: 1 });
  const rows: SplatBenchRow[] = [];
  for (const { name: format, encode } of splatFormats) {
    if (encode === undefined || formats?.includes(format) === false) continue;
    let bytes = new Uint8Array(0);
    const writeMs = await time(async () => {
      bytes = await writeSplats(cloud, { format });
    });
    const readings: number[] = [];
    let read: ShDegree = 0;
    for (let i = 0; i < repeats; i++) {
      readings.push(
        await time(async () => {
          read = (await readSplats(bytes)).degree;
        }),
      );
    }
    readings.sort((a, b) => a - b);
    rows.push({
      format,
      count,
      degree,
      fileBytesPerGaussian: bytes.length / count,
      memoryBytesPerGaussian: bytesInMemory(read),
      writeMs,
      readMs: readings[Math.floor(repeats / 2)]!,
    });
  }
  return rows;
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
