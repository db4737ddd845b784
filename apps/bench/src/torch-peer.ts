import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './measure.ts';

/** PyTorch in a process of its own that runs a case whenever it is asked. */
export interface TorchPeer {
  readonly version: string;
  contestant(name: string): Contestant;
  /** Largest resident size of the process so far, in bytes. */
  peakMemory(): Promise<number>;
  close(): void;
}

const SCRIPT = fileURLToPath(new URL('../peers/torch_peer.py', import.meta.url));

/** A Python that can import torch: `LANGEVIN_PYTHON`, then `python3`, then `python`. */
export function findPython(): string | undefined {
  const candidates = [process.env['LANGEVIN_PYTHON'], 'python3', 'python'].filter((name) => name !== undefined);
  return candidates.find((name) => spawnSync(name, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0);
}

/** Start the peer, or undefined where no Python with torch is found. */
export async function startTorch(threads: number): Promise<TorchPeer | undefined> {
  const python = findPython();
  if (python === undefined) return undefined;
  const child = spawn(python, [SCRIPT, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const receive = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('[bench/torch] the PyTorch process ended early. Run peers/torch_peer.py by hand to see why.');
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  const ask = async (name: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify({ case: name })}\n`);
    const answer = await receive();
    if (typeof answer['error'] === 'string') throw new Error(`[bench/torch] ${answer['error']}`);
    return answer;
  };
  const { torch } = await receive();
  return {
    version: String(torch),
    contestant: (name) => ({ name: 'torch', run: async () => Number((await ask(name))['ms']) }),
    peakMemory: async () => Number((await ask('peak-memory'))['bytes']),
    close: () => child.stdin.end(),
  };
}
