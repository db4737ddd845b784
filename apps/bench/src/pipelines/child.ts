import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { openModel } from '@langevin/pipelines';
import { float32Data, tensor, torchGenerator } from '@langevin/tensor';

/** Latents of 512 x 512 pixels. */
const SHAPE = [1, 4, 64, 64] as const;
const TIMESTEP = 500;

/**
 * One contestant in a process of its own: opens the checkpoint, encodes two prompts, makes a step of the network for both at once, says so,
 * and then does what each line of its input asks for.
 */
export async function pipelinesChild(folder: string, threads: number): Promise<void> {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads });
  const model = await openModel(folder, { engine });
  const size = { width: 512, height: 512 };
  const told = await model.encodePrompts({ prompts: ['a photograph of a red cat'], negatives: [undefined], size });
  const noise = torchGenerator(0).normal(SHAPE.reduce<number>((a, b) => a * b, 1));
  const x = tensor(noise, { shape: SHAPE });
  const level = { ...model.noise.process.level((TIMESTEP + 1) / 1000), timestep: TIMESTEP };
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    step: async () => {
      const both = await model.predict.batch(x, level, [told.conditions, told.negatives!]);
      for (const { denoised } of both) await float32Data(denoised, { engine });
    },
    decode: () => model.coder.decode(x),
  };
  await work['step']!();
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const { case: name } = JSON.parse(line) as { readonly case: string };
    const before = performance.now();
    if (name === 'memory') say({ bytes: await peakMemory() });
    else {
      await work[name]!();
      say({ ms: performance.now() - before });
    }
  }
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** The largest resident size of this process so far, in bytes. */
async function peakMemory(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return 1024 * Number(/VmHWM:\s*(\d+) kB/u.exec(status)?.[1] ?? 0);
}
