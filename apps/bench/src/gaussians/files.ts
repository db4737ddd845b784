import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '@langevin/io';
import { compressedPlyAccuracy, reordered, splatFuzzTable, splatRoundTrips, type RoundTripRow } from '@langevin/io/testing';

/** Ways through every format, and a compressed PLY file that gsplat wrote. */
export async function roundTrips(root: string, count: number): Promise<readonly RoundTripRow[]> {
  const folder = join(root, 'packages/io/test/golden/splats');
  const { tensors } = decodeSafetensors(readFileSync(join(folder, 'splats.safetensors')), 'splats.safetensors');
  const array = (name: string): Float32Array => tensors.get(`packed.${name}`)!.data as Float32Array;
  const original = {
    count: 300,
    degree: 1,
    means: array('means'),
    quaternions: array('quaternions'),
    logScales: array('logScales'),
    opacityLogits: array('opacityLogits'),
    sh: array('sh'),
  } as const;
  const order = tensors.get('gsplat.compressed.order')!.data as Int32Array;
  return [
    ...(await splatRoundTrips({ count })),
    ...(await compressedPlyAccuracy({ file: readFileSync(join(folder, 'gsplat.compressed.ply')), original: reordered(original, order) })),
  ];
}

/** More than this in one run is memory without bound: files are a few hundred bytes. */
export const MOST_GROWTH_MIB = 256;

export interface FuzzFindings {
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly failures: readonly string[];
}

/** Milliseconds that processors worked for this process: what else the machine does is not a file's fault. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Mutated files of every format: what was refused, what was a valid cloud, and what neither. */
export async function fuzz(files: number): Promise<FuzzFindings> {
  const { header, rows, failures } = await splatFuzzTable({
    files,
    seed: 2026,
    clock: processorTime,
    memory: () => process.memoryUsage().rss,
  });
  const growth = header.findIndex((name) => name.startsWith('memory growth'));
  const hungry = rows
    .filter((row) => !(Number(row[growth]) <= MOST_GROWTH_MIB))
    .map((row) => `${String(row[0])}: memory grew by ${String(row[growth])} MiB`);
  return { header, rows, failures: [...failures, ...hungry] };
}
