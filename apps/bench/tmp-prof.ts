import { readFileSync } from 'node:fs';
import { loadDataset } from '@langevin/io/node';

import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { conditionalBackbone, diffusionTask, parseTrainingConfig } from '@langevin/training';
const config = parseTrainingConfig(JSON.parse(readFileSync('configs/emoji.json', 'utf8')));
const dataset = await loadDataset(config.data);


const engine = await onnxruntimeEngine({ threads: Number(process.argv[2] ?? 1), session: { enableProfiling: process.argv[3] === 'prof', profileFilePrefix: '/tmp/prof' } } as never);
const task = diffusionTask({ config, dataset, engine, backbone: conditionalBackbone(config) });
let state = task.init() as any; let point = { step: 0, position: { epoch: 0, index: 0 } };
for (let i = 0; i < 5; i++) { const t = performance.now(); const r = await task.step(state, point); state = r.state; point = { step: i + 1, position: r.position }; console.log((performance.now() - t).toFixed(0)); }
await engine.dispose();
