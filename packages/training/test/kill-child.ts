// A training run that a test starts as a process of its own, to kill it. Arguments: folder, number of steps.
import { memoryDataset } from '@langevin/io';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { conditionalBackbone, diffusionTask, parseTrainingConfig, train } from '@langevin/training';
import { TINY } from './tiny-run.ts';

const [, , folder = '', steps = ''] = process.argv;
const config = parseTrainingConfig(TINY.config);
const engine = await onnxruntimeEngine({ threads: 1 });
setDefaultEngine(engine);
const task = diffusionTask({ config, dataset: memoryDataset(TINY.data), backbone: conditionalBackbone(config), engine });
for await (const event of train(task, { folder, steps: Number(steps), start: 'resume', checkpointEvery: 3, logEvery: 1 })) {
  process.stdout.write(`${event.kind} ${event.step}\n`);
}
