import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPythonJson, writeSafetensors } from '@langevin/io/node';
import type { HostTensor } from '@langevin/io';
import { torchGenerator } from '@langevin/tensor';

type WeightKind = 'matrix' | 'table' | 'scale' | 'bias';

/** A component of a golden file of `tooling/parity/pipelines_golden.py`. */
export interface GoldenComponent {
  readonly config: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly gain: number;
  readonly weights: readonly (readonly [name: string, shape: readonly number[], kind: WeightKind])[];
}

export interface GoldenValues {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Width and height of a picture whose bytes follow from a rule. */
export type GoldenSize = readonly [width: number, height: number];

export interface GoldenCase {
  readonly name: string;
  readonly scheduler: Readonly<Record<string, unknown>>;
  readonly call: Readonly<Record<string, unknown>> & { readonly seed: number };
  /** Of the picture that it begins with. */
  readonly picture?: GoldenSize;
  /** Likewise of the mask. */
  readonly mask?: GoldenSize;
  readonly controls?: readonly {
    readonly control: string;
    readonly picture: GoldenSize;
    readonly scale: number;
    readonly from?: number;
    readonly until?: number;
  }[];
  readonly adapters?: readonly { readonly adapter: string; readonly strength: number }[];
  readonly imagePrompts?: readonly { readonly file: string; readonly picture: GoldenSize; readonly scale: number }[];
  /** Files of textual inversion. */
  readonly words?: readonly string[];
  /** Components that the checkpoint lacks. */
  readonly absent?: readonly string[];
  readonly latents: GoldenValues;
  readonly pictures: readonly { readonly size: GoldenSize; readonly rgb: string }[];
}

export interface GoldenPipeline {
  /** The folder of the golden file, and of the tokenizers that it names. */
  readonly home: string;
  readonly tolerance: { readonly latents: number; readonly pixels: number };
  readonly index: Readonly<Record<string, unknown>>;
  readonly tokenizers: Readonly<Record<string, string>>;
  /** What fills texts up, where it is another token than in the files. */
  readonly padding?: Readonly<Record<string, string>>;
  readonly components: Readonly<Record<string, GoldenComponent>>;
  /** Other files of the checkpoint. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** What steers, in folders of their own. */
  readonly controls?: Readonly<Record<string, GoldenComponent>>;
  readonly adapters?: Readonly<Record<string, Omit<GoldenComponent, 'config'> & { readonly alphas: Readonly<Record<string, number>> }>>;
  readonly cases: readonly GoldenCase[];
}

/** A golden file of `tooling/parity/pipelines_*golden.py`, of a folder with the files of its tokenizers. */
export async function readGolden(folder: string, name: string): Promise<GoldenPipeline> {
  return { ...((await readPythonJson(join(folder, `${name}.json`))) as Omit<GoldenPipeline, 'home'>), home: folder };
}

/** Weights by the rule of `tooling/parity/tiny_checkpoints.py`. */
export function weightsOf({ seed, gain, weights }: Omit<GoldenComponent, 'config'>): ReadonlyMap<string, HostTensor> {
  const generator = torchGenerator(seed);
  return new Map(
    weights.map(([name, shape, kind]): [string, HostTensor] => {
      const data = generator.normal(shape.reduce((count, n) => count * n, 1));
      const size = data.length / (shape[0] ?? 1);
      const factor = Math.fround(gain / Math.sqrt(size));
      const rules: Readonly<Record<WeightKind, (n: number) => number>> = {
        matrix: (n) => n * factor,
        table: (n) => n * 0.5,
        scale: (n) => 1 + Math.fround(0.1 * n),
        bias: (n) => Math.fround(0.05) * n,
      };
      return [name, { dtype: 'float32', shape, data: data.map(rules[kind]) }];
    }),
  );
}

/** The checkpoint of a golden file as a folder in the layout of diffusers; with the scheduler of a case where it has one. */
export async function writeTiny(folder: string, golden: GoldenPipeline): Promise<string> {
  const { home, index, tokenizers, padding = {}, components, controls = {}, adapters = {}, files = {}, cases } = golden;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model_index.json'), JSON.stringify(index));
  for (const [name, component] of Object.entries(components)) await writeComponent(join(folder, name), component);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify(content));
  }
  for (const [name, component] of Object.entries(controls)) await writeComponent(controlIn(folder, name), component);
  for (const [name, adapter] of Object.entries(adapters)) {
    const alphas = Object.entries(adapter.alphas).map(([key, alpha]): [string, HostTensor] => [
      key,
      { dtype: 'float32', shape: [], data: Float32Array.of(alpha) },
    ]);
    await writeSafetensors(adapterIn(folder, name), new Map([...weightsOf(adapter), ...alphas]));
  }
  for (const [name, from] of Object.entries(tokenizers)) await cp(join(home, from), join(folder, name), { recursive: true });
  for (const [name, token] of Object.entries(padding)) {
    const path = join(folder, name, 'special_tokens_map.json');
    await writeFile(path, JSON.stringify({ ...((await readPythonJson(path)) as object), pad_token: token }));
  }
  await mkdir(join(folder, 'scheduler'), { recursive: true });
  await writeFile(join(folder, 'scheduler', 'scheduler_config.json'), pythonJson(cases[0]!.scheduler));
  return folder;
}

/** Beside the checkpoint, as its users have them. */
export const controlIn = (folder: string, name: string): string => `${folder}-control-${name}`;
export const adapterIn = (folder: string, name: string): string => `${folder}-adapter-${name}.safetensors`;

async function writeComponent(folder: string, component: GoldenComponent): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(component.config));
  const file = '_class_name' in component.config ? 'diffusion_pytorch_model' : 'model';
  await writeSafetensors(join(folder, `${file}.safetensors`), weightsOf(component), { metadata: { format: 'pt' } });
}

/** JSON as Python writes it, where numbers may be infinite. */
export function pythonJson(value: unknown): string {
  const marked = JSON.stringify(value, (_, entry: unknown) =>
    typeof entry === 'number' && !Number.isFinite(entry) ? `<${entry}>` : entry,
  );
  return marked.replace(/"<(-?Infinity|NaN)>"/gu, '$1');
}
