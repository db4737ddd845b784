// A process of its own for hub-processes.test.ts: downloads every file of owner/tiny, and says how far each is.
import { hubFiles } from '../../src/checkpoint/hub/hub-files.ts';

const [endpoint, cache] = process.argv.slice(2) as [string, string];
const onProgress = ({ part, done }: { readonly part: string; readonly done: number }): void => {
  if (done > 0) process.stdout.write(`${part}\n`);
};
const files = await hubFiles('owner/tiny', { endpoint, cache, onProgress });
for (const path of files.sizes.keys()) await (path.endsWith('.safetensors') ? files.weights(path) : files.bytes(path, { maxBytes: 1e6 }));
process.stdout.write('done\n');
