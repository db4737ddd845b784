import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkpointsEvidence } from './checkpoints/evidence.ts';
import { engineBenchMarkdown, runEngineBench, trainForMemory } from './engine/run.ts';
import type { Evidence } from './evidence/evidence.ts';
import { opsEvidence } from './evidence/ops.ts';
import { programList } from './evidence/program-list.ts';
import { programsEvidence } from './evidence/programs.ts';
import { COUNTS, gaussiansEvidence } from './gaussians/evidence.ts';
import { loadForMemory } from './gaussians/loading.ts';
import { gaussiansBenchMarkdown, runGaussiansBench } from './gaussians/speed.ts';
import { latentsBenchMarkdown, runLatentsBench } from './latents/speed.ts';
import { latentsEvidence } from './latents/study.ts';
import { STAGE_TWO_MINUTES, trainLatentsCommand } from './latents/train-command.ts';
import { pipelinesChild } from './pipelines/child.ts';
import { pipelinesBenchMarkdown, runPipelinesBench } from './pipelines/run.ts';
import { profileMarkdown } from './profile/page.ts';
import { runProfile } from './profile/run.ts';
import { qualityEvidence } from './quality/quality.ts';
import { STUDY_STEPS, trainQuality } from './quality/train-command.ts';
import { samplersEvidence } from './samplers/evidence.ts';
import { runSamplersBench, samplersBenchMarkdown } from './samplers/speed.ts';
import { workPrecision } from './samplers/work-precision.ts';

const HELP = `Usage: npm run bench -- engine [options]
       npm run bench -- profile [--case name] [options]
       npm run bench -- samplers [options]
       npm run bench -- gaussians [options]
       npm run bench -- pipelines [options]
       npm run bench -- latents [options]
       npm run evidence -- ops|programs|samplers|gaussians|quality|latents|checkpoints|work-precision [--quick] [--write]
       npm run train:quality -- [--steps n] [--minutes n] [--only a,b] [--by langevin|twin]
       npm run train:latents -- [--minutes n] [--only a,b]

  engine        ops, networks, overhead and memory beside PyTorch, tfjs-wasm and jax-js
  profile       where the time of the networks' steps goes, by kernel and by op of the graph
  samplers      what samplers add to a step, plain arrays, parallel sampling
  pipelines     Stable Diffusion 1.5 of true size beside diffusers: first step, steps, decoding, memory (2.1 GB on the disk)
  latents       a training step of an autoencoder beside PyTorch, what stage two spends outside of its network, memory
  gaussians     the rasterizer, steps of training, a scene trained, a large one opened, beside what has to be reached

  ops             the op conformance table of every engine and provider found here (the default)
  programs        random programs of all ops on every engine, beside the reference and PyTorch
  samplers        orders, identities, parity, names and sizes of the samplers
  gaussians       the rasterizers' errors beside the reference, PyTorch and closed forms; formats, fuzz
  quality         trained models beside their twins from PyTorch, Gaussians and the data; takes the weights of train:quality
  latents         autoencoders, and diffusion over their latents; takes the weights of train:latents
  checkpoints     classes and pictures beside diffusers', damaged folders
  work-precision  the figures of docs/choosing-a-sampler.md (always written)

  train:quality   the models of "quality" and their twins, one after another; goes on where it was ended

  train:latents   autoencoders of emoji and diffusion over their latents, each second stage for ${STAGE_TWO_MINUTES} CPU minutes (--minutes)

  --rounds n    counted rounds of the networks (default 7; single ops take 3 times as many)
  --only a,b    cases by name; --case says the same
  --threads n   threads of every contestant (default: the number of cores)
  --quick       few scenes and files (gaussians), few programs (programs)
  --seed n      other random programs (default 1)
  --steps n     of each training (default ${STUDY_STEPS})
  --minutes n   at most, for each training of this call (default 15)
  --by who      langevin or twin: one half of the trainings, for two calls at once of one thread each (default both)
  --write       also write the page and its figures to docs/

The quality study keeps its trainings in runs/quality (LANGEVIN_QUALITY), and takes judges from models/judges (LANGEVIN_JUDGES) and data
sets that lie on this machine from LANGEVIN_DATA; others are fetched.
PyTorch takes part when LANGEVIN_PYTHON, python3 or python can import torch.
WebGPU without a GPU takes Debian's chromium and its SwiftShader in the environment:
  LD_LIBRARY_PATH=/usr/lib/chromium VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json
  VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json XDG_RUNTIME_DIR=/tmp`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const docs = join(root, 'docs');
const report = (line: string): void => console.error(line);

/** How much evidence is wanted, and from which random numbers. */
interface Extent {
  readonly size: 'full' | 'quick';
  readonly seed: number;
}

/** Kinds of evidence by name; each is tables and figures from code that runs here. */
const EVIDENCE: Readonly<Record<string, (how: Extent) => Promise<Evidence>>> = {
  ops: opsEvidence,
  programs: ({ size, seed }) => programsEvidence({ root, report, size, seed }),
  samplers: () => samplersEvidence({ root, report }),
  gaussians: ({ size }) => gaussiansEvidence({ root, report, counts: COUNTS[size] }),
  quality: ({ size }) => qualityEvidence({ root, report, size }),
  latents: ({ size }) => latentsEvidence({ root, report, size }),
  checkpoints: ({ size }) => checkpointsEvidence({ root, report, size }),
};

function write(name: string, markdown: string, json: unknown): void {
  mkdirSync(docs, { recursive: true });
  writeFileSync(join(docs, `${name}.md`), markdown);
  writeFileSync(join(docs, `${name}.json`), `${JSON.stringify(json, null, 2)}\n`);
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      case: { type: 'string' },
      threads: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      minutes: { type: 'string' },
      by: { type: 'string' },
      quick: { type: 'boolean' },
      write: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const threads = Number(values.threads ?? availableParallelism());
  const rounds = Number(values.rounds ?? 7);
  const only = (values.only ?? values.case)?.split(',');
  const [task = 'engine'] = positionals;
  if (values.help) {
    console.log(HELP);
  } else if (task === 'program-list') {
    console.log(programList(Number(positionals[1] ?? 60)));
  } else if (task === 'train-for-memory') {
    console.log(await trainForMemory(threads));
  } else if (task === 'engine') {
    const result = await runEngineBench({
      threads,
      rounds: { operations: 3 * rounds, networks: rounds },
      report,
      ...(only === undefined ? {} : { only }),
    });
    const markdown = engineBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks', markdown, result);
  } else if (task === 'profile') {
    const result = await runProfile({ threads, steps: rounds, only });
    const markdown = profileMarkdown(result);
    console.log(markdown);
    if (values.write) write('profile', markdown, result);
  } else if (task === 'samplers') {
    const result = await runSamplersBench({ threads, rounds, report });
    const markdown = samplersBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks-samplers', markdown, result);
  } else if (task === 'load-for-memory') {
    console.log(await loadForMemory(positionals[1] ?? ''));
  } else if (task === 'gaussians') {
    const result = await runGaussiansBench({ root, rounds, report });
    const markdown = gaussiansBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks-gaussians', markdown, result);
  } else if (task === 'pipelines-child') {
    await pipelinesChild(positionals[1] ?? '', threads);
  } else if (task === 'pipelines') {
    const result = await runPipelinesBench({ root, threads, rounds: values.rounds === undefined ? 3 : rounds, report });
    const markdown = pipelinesBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks-pipelines', markdown, result);
  } else if (task === 'latents') {
    const result = await runLatentsBench({ root, threads, rounds, report });
    const markdown = latentsBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks-latents', markdown, result);
  } else if (task === 'train-quality') {
    await trainQuality({ root, threads, only, report, steps: values.steps, minutes: values.minutes, by: values.by });
  } else if (task === 'train-latents') {
    await trainLatentsCommand({ root, threads, only, report, minutes: values.minutes });
  } else if (task === 'evidence') {
    await evidence(positionals[1] ?? 'ops', {
      pages: values.write === true ? 'write' : 'show',
      size: values.quick === true ? 'quick' : 'full',
      seed: Number(values.seed ?? 1),
    });
  } else {
    console.error(
      `[bench] unknown task: task=${task}. Known: engine, profile, samplers, gaussians, pipelines, latents, evidence, `
        + `train-quality, train-latents.\n${HELP}`,
    );
    process.exitCode = 1;
  }
}

async function evidence(kind: string, { pages, size, seed }: Extent & { readonly pages: 'write' | 'show' }): Promise<void> {
  if (kind === 'work-precision') {
    const { page, json } = await workPrecision({ root, report });
    writeFileSync(join(docs, 'work-precision.json'), `${JSON.stringify(json, null, 2)}\n`);
    console.log(page);
    return;
  }
  const run = EVIDENCE[kind];
  if (run === undefined) {
    console.error(`[bench] unknown evidence: kind=${kind}. Known: ${[...Object.keys(EVIDENCE), 'work-precision'].join(', ')}.`);
    process.exitCode = 1;
    return;
  }
  const { page, markdown, json, failed } = await run({ size, seed });
  console.log(markdown);
  if (pages === 'write') write(page, markdown, json);
  if (failed > 0) process.exitCode = 1;
}

await main();
