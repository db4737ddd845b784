// A training run that a test starts as a process of its own, to kill it. Arguments: folder, number of steps.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { diffusionRunFromConfig, parseTrainingConfig } from '@langevin/pipelines';
import { setDefaultEngine } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore } from '@langevin/training/node';
import { stripes, TINY_RUN } from './tiny-run.ts';

const [, , folder = '', steps = ''] = process.argv;
const engine = await onnxruntimeEngine({ threads: 1 });
setDefaultEngine(engine);
const { task } = await diffusionRunFromConfig(parseTrainingConfig(TINY_RUN), { data: [stripes], engine });
const options = { store: folderStore(folder), steps: Number(steps), checkpointEvery: 3, evaluateEvery: 5, logEvery: 1 };
for await (const event of train(task, { ...options, start: 'resume' })) {
  process.stdout.write(`${event.kind} ${event.step}\n`);
}
