import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { autoencoderFromConfig, autoencoderTask, describeMemory, estimateMemory, kl, l1, patchDiscriminator } from '@langevin/latent-ae';
import { adam, constantSchedule, parameterCount, type Module } from '@langevin/nn';
import { defineSource } from '@langevin/io';
import { latentBatches, parseTrainingConfig, type EncodedPicture } from '@langevin/pipelines';
import { diffusionTask, noiseRecipe } from '@langevin/diffusion';
import { backboneFromConfig } from '@langevin/backbones';
import { counterGenerator, setDefaultEngine, type Engine, type Tensor } from '@langevin/tensor';
import type { StepPoint } from '@langevin/training';
import { describeMachine, type Machine } from '../machine.ts';
import { interleave, local, type Contestant, type Measurement } from '../measure.ts';
import { markdownTable } from '../table.ts';
import { findPython } from '../torch-peer.ts';

/** How long steps take, and what decoding holds at once. */
export interface LatentsSpeed {
  readonly machine: Machine;
  readonly threads: number;
  readonly torch: string | undefined;
  readonly parameters: number;
  /** A training step of the autoencoder, ours and PyTorch's. */
  readonly step: readonly Measurement[];
  /** A training step of stage two, and the part of it that is not the network. */
  readonly stageTwo: { readonly stepMs: number; readonly outsideMs: number };
  readonly memory: readonly { readonly what: string; readonly estimate: string }[];
}

export interface LatentsSpeedOptions {
  readonly root: string;
  readonly threads: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

const two = (name: string): readonly string[] => [name, name, name];

/** The autoencoder of a text-to-image model of 64x64 pictures: latents of 16x16. */
const CONFIG = {
  autoencoder: {
    _class_name: 'AutoencoderKL',
    block_out_channels: [32, 64, 128],
    down_block_types: two('DownEncoderBlock2D'),
    up_block_types: two('UpDecoderBlock2D'),
    layers_per_block: 1,
    latent_channels: 4,
    norm_num_groups: 16,
    sample_size: 64,
  },
  discriminator: { channels: 64, layers: 3 },
  shape: [16, 3, 64, 64],
} as const;

export async function runLatentsBench({ root, threads, rounds, report }: LatentsSpeedOptions): Promise<LatentsSpeed> {
  const engine = await onnxruntimeEngine({ threads });
  setDefaultEngine(engine);
  const autoencoder = autoencoderFromConfig(CONFIG.autoencoder);
  const network = patchDiscriminator({ inputs: 3, ...CONFIG.discriminator });
  const parameters =
    parameterCount(autoencoder as unknown as Module<unknown, readonly [], Tensor>)
    + parameterCount(network as unknown as Module<unknown, readonly [], Tensor>);
  report('a training step of the autoencoder');
  const ours = oursOf(engine);
  const twin = await twinOf({ root, threads, parameters });
  try {
    const step = await interleave([ours, ...(twin ? [twin.contestant] : [])], { rounds });
    report('a training step of stage two');
    const stageTwo = await outsideOfNetwork(engine, rounds);
    const memory = memoryLines();
    return { machine: describeMachine(), threads, torch: twin?.version, parameters, step, stageTwo, memory };
  } finally {
    twin?.close();
  }
}

/** A place in a run. */
const at = (step: number): StepPoint => ({
  step,
  stream: () => ({ epoch: 0, index: 0 }),
  random: (purpose) => counterGenerator({ seed: 1, stream: [step, purpose.length] }),
});

function oursOf(engine: Engine): Contestant {
  const { shape } = CONFIG;
  const x = counterGenerator({ seed: 2, stream: [0] })
    .uniform(shape.reduce((size, n) => size * n, 1))
    .map((u) => 2 * u - 1);
  const learner = { optimizer: adam({ beta1: 0.5, beta2: 0.9 }), learningRate: constantSchedule(1e-4) };
  const task = autoencoderTask({
    ...{ name: 'speed', seed: 0, config: {}, autoencoder: autoencoderFromConfig(CONFIG.autoencoder), engine, learner, shape },
    regulariser: kl(),
    losses: [l1()],
    discriminator: { network: patchDiscriminator({ inputs: 3, ...CONFIG.discriminator }), learner },
    batch: async () => ({ x, shape, next: { epoch: 0, index: 0 }, items: [] }),
  });
  let state = task.init();
  let step = 0;
  return local('langevin', async () => {
    state = (await task.step(await state, at(step))).state;
    step += 1;
  });
}

interface Twin {
  readonly version: string;
  readonly contestant: Contestant;
  readonly close: () => void;
}

async function twinOf({
  root,
  threads,
  parameters,
}: {
  readonly root: string;
  readonly threads: number;
  readonly parameters: number;
}): Promise<Twin | undefined> {
  const python = findPython();
  if (python === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'langevin-twin-'));
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(CONFIG));
  const script = join(root, 'tooling/parity/autoencoder_twin.py');
  const child = spawn(python, [script, '--threads', String(threads), path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const receive = async (): Promise<Readonly<Record<string, unknown>>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('[bench/latents] the twin ended early. Its message is above.');
    return JSON.parse(value) as Readonly<Record<string, unknown>>;
  };
  const { torch, parameters: twins } = await receive();
  if (twins !== parameters) throw new Error(`[bench/latents] the twin has other parameters: ours=${parameters}, twin=${String(twins)}.`);
  return {
    version: String(torch),
    contestant: {
      name: 'torch',
      run: async () => {
        child.stdin.write('\n');
        return Number((await receive())['ms']);
      },
    },
    close: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Stage two over latents that are kept: a whole step, and how much of it is spent before the graph runs. */
async function outsideOfNetwork(engine: Engine, rounds: number): Promise<LatentsSpeed['stageTwo']> {
  const shape = [32, 4, 16, 16];
  const { noise } = parseTrainingConfig({
    ...{ name: 'speed', seed: 0, data: { name: 'mnist' }, backbone: { _class_name: 'UNet2DModel' }, batchSize: 1, average: { decay: 0.9 } },
    optimizer: { name: 'adam', learningRate: 1e-3 },
  });
  const network = backboneFromConfig({
    _class_name: 'UNet2DModel',
    sample_size: 16,
    in_channels: 4,
    out_channels: 4,
    block_out_channels: [64, 96, 96],
    down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
    up_block_types: ['AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'],
    layers_per_block: 1,
    attention_head_dim: 16,
    norm_num_groups: 16,
  });
  const one = 2 * shape.slice(1).reduce((size, n) => size * n, 1);
  const source = defineSource<EncodedPicture>({
    name: 'latents',
    length: 512,
    load: (i) => ({
      views: [0, 1].map((view) => counterGenerator({ seed: 3, stream: [i, view] }).normal(one)),
      shape: [8, 16, 16],
      kind: 'moments',
    }),
  });
  const batches = latentBatches(source, { info: { scale: 1, shift: 0 }, batchSize: shape[0]!, seed: 5, draw: 'sample' });
  let position = { epoch: 0, index: 0 };
  let outside = 0;
  const learner = { optimizer: adam(), learningRate: constantSchedule(1e-3) };
  const task = diffusionTask({
    ...{ name: 'speed', seed: 0, config: {}, network, noise: noiseRecipe(noise), learner, engine },
    batch: async () => {
      const before = performance.now();
      const batch = await batches(position);
      outside += performance.now() - before;
      position = batch.next;
      return batch;
    },
  });
  let state = task.init();
  let step = 0;
  const contestant = local('stage two', async () => {
    state = (await task.step(await state, at(step))).state;
    step += 1;
  });
  const [measured] = await interleave([contestant], { rounds });
  return { stepMs: measured!.medianMs, outsideMs: outside / step };
}

/** What Stable Diffusion's decoder holds at once, by its graph. */
function memoryLines(): LatentsSpeed['memory'] {
  const vae = autoencoderFromConfig({
    _class_name: 'AutoencoderKL',
    block_out_channels: [128, 256, 512, 512],
    down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
    layers_per_block: 2,
  });
  const of = (side: number) => describeMemory(estimateMemory(vae, { pass: 'decode', shape: [1, 4, side, side] }));
  return [
    { what: '512x512, whole: also each tile of 64x64 latents', estimate: of(64) },
    { what: '1024x1024, whole', estimate: of(128) },
    { what: '2048x2048, whole', estimate: of(256) },
  ];
}

/** docs/benchmarks-latents.md */
export function latentsBenchMarkdown({ machine, threads, torch, parameters, step, stageTwo, memory }: LatentsSpeed): string {
  const [ours, twin] = step;
  const share = (100 * stageTwo.outsideMs) / stageTwo.stepMs;
  const ratio = twin && ours ? twin.medianMs / ours.medianMs : undefined;
  return `<!-- Made by "npm run bench -- latents --write". Do not edit. -->

# Autoencoders beside PyTorch

\`npm run bench -- latents\` on ${machine.cpu} (${machine.cores} cores, ${threads} threads, ${machine.date}),
${torch === undefined ? 'PyTorch not found' : `PyTorch ${torch}`}; medians of runs in turn.

A training step of an autoencoder of 64x64 pictures with a patch discriminator, batch 16, ${parameters.toLocaleString('en-US')} parameters
in both:

${markdownTable(
  ['', 'median ms', 'least', 'most', 'runs'],
  step.map(({ name, medianMs, minMs, maxMs, runs }) => [name, medianMs.toFixed(0), minMs.toFixed(0), maxMs.toFixed(0), runs]),
)}

${ratio === undefined ? '' : `PyTorch takes ${ratio.toFixed(2)} times as long (wanted: at least 1).`}

A step of stage two over 16x16 latents that are kept, batch 32:
${stageTwo.stepMs.toFixed(1)} ms, of which ${stageTwo.outsideMs.toFixed(2)} ms
(${share.toFixed(1)} %; at most 3 wanted) are spent on its batch: order, mirrors, and drawing latents from their posteriors.

What a pass of Stable Diffusion's decoder holds at once, by its graph; in tiles of 64x64 latents a picture of any size holds what 512x512
does, and the picture:

${markdownTable(
  ['decoding', 'holds'],
  memory.map(({ what, estimate }) => [what, estimate]),
)}

Times of coding 512x512 beside diffusers are in [benchmarks-pipelines.md](benchmarks-pipelines.md).
`;
}
