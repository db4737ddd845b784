import { readFileSync } from 'node:fs';
import { loadDataset } from '@langevin/io/node';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { conditionalBackbone, countParameters, diffusionTask, parseTrainingConfig, train } from '@langevin/training';
const [, , file, folder, steps, threads] = process.argv;
const config = parseTrainingConfig(JSON.parse(readFileSync(file!, 'utf8')));
const dataset = await loadDataset(config.data);
const engine = await onnxruntimeEngine({ threads: Number(threads ?? 2) } as never);
const task = diffusionTask({ config, dataset, engine, backbone: conditionalBackbone(config) });
const s0 = task.init() as any;
console.log('images', dataset.length, 'classes', dataset.classes!.length, 'parameters', countParameters(s0));
let t0 = performance.now(), sum = 0, n = 0;
for await (const event of train(task, { folder: folder!, steps: Number(steps), start: 'resume', checkpointEvery: 250, milestone: 2000 })) {
  if (event.kind === 'step') {
    sum += event.metrics.loss; n++;
    if (event.step <= 10 || event.step % 25 === 0) { console.log(new Date().toISOString().slice(11, 19), event.step, (sum / n).toFixed(4), event.metrics['gradNorm']!.toFixed(3), event.milliseconds.toFixed(0), 'ms'); sum = 0; n = 0; }
  } else console.log(event.kind, JSON.stringify(event).slice(0, 200));
}
