import { join } from 'node:path';
import { openSafetensors, readJson, readPythonJson } from '@langevin/io/node';
import { sizeOf } from '@langevin/tensor';
import { checkpointPath, RUN_FILES } from '@langevin/training';
import { diffusionFiles, findComponent, findWeights } from './diffusion-folder.ts';
import { checkPath } from './exists.ts';
import { checkpointKind, findCheckpoint, type CheckpointKind } from './run-model.ts';

/** Tensors whose names start alike. */
export interface PrefixSummary {
  readonly prefix: string;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

export interface CheckpointDescription {
  readonly kind: CheckpointKind;
  /** The file whose tensors are counted. */
  readonly file: string;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
  /** Elements by dtype, as the file spells it. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly prefixes: readonly PrefixSummary[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The network's configuration, or that of the run. */
  readonly config?: unknown;
  /** Steps done, of a training checkpoint. */
  readonly step?: number;
}

/**
 * What a checkpoint holds; only the header of its weights is read. Takes a model's folder, that of one of its components, a run's folder
 * (its newest checkpoint), a checkpoint of a run, or a safetensors file.
 *
 * @throws UserError when there is no such checkpoint, or its file is malformed or a pickle
 */
export async function describeCheckpoint(path: string): Promise<CheckpointDescription> {
  const { kind, file, config, step } = await locate(path);
  const opened = await openSafetensors(file);
  try {
    const prefixes = new Map<string, { tensors: number; elements: number; bytes: number }>();
    const dtypes: Record<string, number> = {};
    let elements = 0;
    let bytes = 0;
    for (const [name, { storedDType: dtype, shape, byteLength }] of opened.entries) {
      const size = sizeOf(shape);
      const prefix = prefixOf(name);
      const sum = prefixes.get(prefix) ?? { tensors: 0, elements: 0, bytes: 0 };
      prefixes.set(prefix, { tensors: sum.tensors + 1, elements: sum.elements + size, bytes: sum.bytes + byteLength });
      dtypes[dtype] = (dtypes[dtype] ?? 0) + size;
      elements += size;
      bytes += byteLength;
    }
    return {
      kind,
      file,
      tensors: opened.entries.size,
      elements,
      bytes,
      dtypes,
      prefixes: [...prefixes].map(([prefix, sum]) => ({ prefix, ...sum })),
      metadata: opened.metadata,
      ...(config === undefined ? {} : { config }),
      ...(step === undefined ? {} : { step }),
    };
  } finally {
    await opened.close();
  }
}

interface Located {
  readonly kind: CheckpointKind;
  readonly file: string;
  readonly config?: unknown;
  readonly step?: number;
}

async function locate(path: string): Promise<Located> {
  checkPath(path);
  const kind = await checkpointKind(path);
  if (kind === 'model') {
    const files = diffusionFiles(path, await findComponent(path));
    return { kind, file: await findWeights(files.component), config: await readPythonJson(files.config) };
  }
  if (kind === 'file') return { kind, file: path };
  if (kind === 'component') return { kind, file: await findWeights(path), config: await readPythonJson(join(path, 'config.json')) };
  const { folder, step } = await findCheckpoint(path);
  return { kind, file: join(folder, checkpointPath(step)), config: await readJson(join(folder, RUN_FILES.config)), step };
}

/** `down_blocks.0.resnets.1.conv1.weight` is summed under `down_blocks`; the parts of a training state keep their own name before it. */
function prefixOf(name: string): string {
  const parts = name.split('.');
  const inState = { params: 3, optimizer: 3, averages: 4, buffers: 3 }[parts[1] ?? ''];
  return parts.slice(0, inState ?? 1).join('.');
}
