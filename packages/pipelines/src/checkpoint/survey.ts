import { sizeOf } from '@langevin/tensor';
import { openCheckpoint, type Checkpoint, type Component, type OpenCheckpointOptions } from './checkpoint.ts';
import type { Evidence } from './evidence.ts';
import { within, type CheckpointFiles } from './files.ts';
import { storedBytes } from './stored-bytes.ts';

/** One component of a checkpoint, in numbers. */
export interface ComponentSurvey {
  readonly name: string;
  readonly className: string;
  /** The file of its weights; absent for schedulers and tokenizers. */
  readonly weights?: string;
  /** Bytes of its weights, of all shards. */
  readonly bytes?: number;
  /** Absent where its weights are on a hub and not here yet: nothing is downloaded to count them. */
  readonly counted?: {
    readonly tensors: number;
    readonly elements: number;
    /** Elements by dtype, or by the form of those that no engine has as they are: `F8_E4M3`, `Q4_K`. */
    readonly dtypes: Readonly<Record<string, number>>;
  };
}

/** What a checkpoint is, what was decided about it, and from which evidence. */
export interface CheckpointSurvey {
  readonly label: string;
  /** The pipeline of diffusers; absent for one model alone. */
  readonly pipeline?: string;
  readonly components: readonly ComponentSurvey[];
  readonly evidence: readonly Evidence[];
}

/**
 * What a checkpoint holds: only names, shapes and configurations are read, and of a hub only configurations are downloaded.
 *
 * @throws UserError as {@link openCheckpoint}
 * @example
 * // not run: needs the network
 * import { surveyCheckpoint } from '@langevin/pipelines';
 * const { components, evidence } = await surveyCheckpoint('stable-diffusion-v1-5/stable-diffusion-v1-5');
 * for (const { component, what, value, from } of evidence) console.log(component, what, value, from);
 */
export async function surveyCheckpoint(given: string | CheckpointFiles, options: OpenCheckpointOptions = {}): Promise<CheckpointSurvey> {
  const checkpoint = await openCheckpoint(given, options);
  const components: ComponentSurvey[] = [];
  for (const component of checkpoint.components.values()) components.push(await surveyComponent(checkpoint, component));
  return Object.freeze({
    label: checkpoint.files.label,
    ...(checkpoint.index && { pipeline: checkpoint.index.className }),
    components,
    evidence: checkpoint.evidence,
  });
}

async function surveyComponent({ files }: Checkpoint, { name, className, folder, weights }: Component): Promise<ComponentSurvey> {
  if (weights === undefined) return { name, className };
  const path = within(folder, weights.name);
  const here = (await files.isHere?.(path)) ?? true;
  if (!here) return { name, className, weights: path, ...(!path.endsWith('.json') && { bytes: files.sizes.get(path)! }) };
  const file = await files.weights(path);
  const { tensors, stored } = file;
  const dtypes: Record<string, number> = {};
  let elements = 0;
  for (const [tensorName, tensor] of tensors) {
    if ('unread' in tensor) {
      dtypes[tensor.unread] = dtypes[tensor.unread] ?? 0;
      continue;
    }
    const size = sizeOf(tensor.shape);
    const form = stored.get(tensorName)?.form ?? tensor.dtype;
    dtypes[form] = (dtypes[form] ?? 0) + size;
    elements += size;
  }
  return { name, className, weights: path, bytes: storedBytes(file), counted: { tensors: tensors.size, elements, dtypes } };
}
