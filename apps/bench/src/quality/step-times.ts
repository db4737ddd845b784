import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { diffusionRunFromConfig, type TrainingConfig } from '@langevin/pipelines';
import { counterGenerator, type Engine } from '@langevin/tensor';
import { interleave, local, type Contestant, type Measurement } from '../measure.ts';

/** How long a step of training takes here and in PyTorch. */
export interface StepTimes {
  readonly config: string;
  readonly parameters: number;
  readonly batchSize: number;
  readonly threads: number;
  /** Ours, then the twin's. */
  readonly times: readonly Measurement[];
}

export interface StepTimesOptions {
  readonly root: string;
  readonly name: string;
  readonly config: TrainingConfig;
  readonly engine: Engine;
  readonly python: string;
  readonly threads: number;
}

const ROUNDS = 10;

/** Times whole steps, data and noise included, in turn with the twin's, so that a drift of the machine's speed hits both alike. */
export async function stepTimes({ root, name, config, engine, python, threads }: StepTimesOptions): Promise<StepTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-times-'));
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config));
  const script = join(root, 'tooling/parity/diffusion_twin.py');
  const child = spawn(python, [script, '--threads', String(threads), 'time', path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const receive = async (): Promise<Readonly<Record<string, unknown>>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`[bench/step-times] the twin ended early: config=${name}. Its message is above.`);
    return JSON.parse(value) as Readonly<Record<string, unknown>>;
  };
  try {
    const { parameters: twins } = await receive();
    const { task, parameters } = await diffusionRunFromConfig(config, { engine });
    if (twins !== parameters)
      throw new Error(`[bench/step-times] the twin has other parameters: ours=${parameters}, twin=${String(twins)}.`);
    let state = await task.init();
    let position = { epoch: 0, index: 0 };
    let step = 0;
    const ours = local('langevin', async () => {
      const at = position;
      const random = (purpose: string) => counterGenerator({ seed: 0, stream: [step, purpose.length] });
      const result = await task.step(state, { step, stream: () => at, random });
      ({ state } = result);
      position = result.streams!['data']!;
      step += 1;
    });
    const twin: Contestant = {
      name: 'torch',
      run: async () => {
        child.stdin.write('\n');
        return Number((await receive())['ms']);
      },
    };
    const times = await interleave([ours, twin], { rounds: ROUNDS });
    return { config: name, parameters, batchSize: config.batchSize, threads, times };
  } finally {
    child.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
