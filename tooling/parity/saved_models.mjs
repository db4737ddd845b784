// Saves tiny checkpoints of the golden files, one of them with a LoRA, and a picture of each: see saved_models.py.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const from = (name, entry = 'index.js') => import(pathToFileURL(join(root, 'packages', name, 'dist', entry)).href);
const { onnxruntimeEngine } = await from('engine-onnxruntime');
const { writeImage } = await from('io', 'node.js');
const { openModel, saveModel } = await from('pipelines');
const { readGolden, resultOf, writeTiny } = await from('pipelines', 'testing/index.js');

const home = process.argv[2];
if (home === undefined) throw new Error('Give the folder to write to.');
await mkdir(home, { recursive: true });
const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
const golden = join(root, 'packages/pipelines/test/golden');
const plain = { prompt: 'a red cat', seed: 5, steps: 3, guidance: 4 };
const calls = {
  'stable-diffusion-tasks': plain,
  'stable-diffusion-xl': plain,
  'stable-diffusion-3': plain,
  'flux-dev': { ...plain, width: 16, height: 16 },
  pixart: plain,
  dit: { ...plain, prompt: '207' },
};
for (const [name, call] of Object.entries(calls)) {
  const pipeline = await readGolden(golden, name);
  const folder = await writeTiny(join(home, `${name}-from`), pipeline);
  const adapters = pipeline.adapters?.peft ? [{ from: `${folder}-adapter-peft.safetensors`, strength: 0.7 }] : [];
  const model = await openModel(folder, { engine, adapters });
  await saveModel(join(home, name), model);
  const { images } = await resultOf({ model, ...call });
  await writeImage(join(home, `${name}.png`), images[0]);
  await model.dispose();
}
await writeFile(join(home, 'calls.json'), JSON.stringify(Object.entries(calls).map(([name, call]) => ({ name, call }))));
