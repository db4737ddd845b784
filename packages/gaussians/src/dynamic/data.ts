import { fromStateDict, shapesOnly, toStateDict, type StateEntry } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { play, type Deformation, type DeformationConfig, type DeformationData, type NamedArrays } from './deformation.ts';
import { hexPlaneDeformation, type HexPlaneConfig } from './hexplane.ts';
import { mlpDeformation, type MlpDeformationConfig } from './mlp.ts';

/** A deformation and its weights as plain data, to be written to a file. */
export async function deformationData<Params>(
  { kind, config }: Deformation<Params>,
  params: Params,
): Promise<DeformationData & { readonly tensors: NamedArrays }> {
  const entries = await toStateDict(params);
  return {
    kind,
    config,
    tensors: Object.fromEntries(
      [...entries].map(([name, { shape, data }]) => [name, { dtype: 'float32' as const, shape, data: data as Float32Array }]),
    ),
  };
}

/**
 * A deformation with its weights from plain data, to go on training.
 * @throws UserError for a kind, configuration or weights that do not fit
 */
export function deformationFromData({ kind, config, tensors }: DeformationData): {
  readonly deformation: Deformation<unknown>;
  readonly params: unknown;
} {
  const deformation = deformationOf(kind, config);
  const entries = new Map<string, StateEntry>(Object.entries(checked(tensors)));
  return { deformation, params: fromStateDict(deformation.init(shapesOnly), entries, { from: 'the deformation' }) };
}

/**
 * Gaussians in motion from plain data, without an engine: what a viewer asks at each frame. Weights are checked before the first frame.
 *
 * @throws UserError for a kind, configuration or weights that do not fit
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const motion = mlpDeformation({ box: boxOf(gaussians) });
 * const at = playback(gaussians, await deformationData(motion, motion.init(torchGenerator(0)))); // or what was read from a file
 * at(0.5).count; // => 2
 */
export function playback(gaussians: Gaussians, { kind, config, tensors }: DeformationData): (time: number) => Gaussians {
  return play(deformationOf(kind, config), checked(tensors), gaussians);
}

function checked(tensors: DeformationData['tensors']): NamedArrays {
  for (const [name, { dtype, data }] of Object.entries(tensors)) {
    if (dtype !== 'float32' || !(data instanceof Float32Array) || !data.every(Number.isFinite)) {
      throw new UserError(
        `[gaussians/dynamic] weight is not made of finite float32 numbers: name=${name}, dtype=${dtype}. The file is damaged, or `
          + 'training diverged.',
      );
    }
  }
  return tensors as NamedArrays;
}

/** The configuration may come from a file: the makers check it. */
function deformationOf(kind: string, config: DeformationConfig): Deformation<unknown> {
  if (typeof config !== 'object' || config === null)
    throw new UserError(`[gaussians/dynamic] configuration is no object: config=${JSON.stringify(config)}. The file is damaged.`);
  if (kind === 'mlp') return mlpDeformation(config as unknown as MlpDeformationConfig) as Deformation<unknown>;
  if (kind === 'hexplane') return hexPlaneDeformation(config as unknown as HexPlaneConfig) as Deformation<unknown>;
  throw new UserError(`[gaussians/dynamic] kind of deformation is unknown: kind=${kind}. Known: mlp, hexplane.`);
}
