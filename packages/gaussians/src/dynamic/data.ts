import { fromStateDict, shapesOnly, toStateDict, type StateEntry } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { deformations } from '../deformations/index.ts';
import { deformationByName } from './deformation-by-name.ts';
import { play, type Deformation, type DeformationData, type NamedArrays } from './deformation.ts';

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
 *
 * @param known the deformations to choose from; add your own with `deformations.with()`. @default the ones of this package
 * @throws UserError for a kind, configuration or weights that do not fit
 */
export function deformationFromData(
  { kind, config, tensors }: DeformationData,
  known = deformations,
): {
  readonly deformation: Deformation<unknown>;
  readonly params: unknown;
} {
  const deformation = deformationByName(kind, config, known);
  const entries = new Map<string, StateEntry>(Object.entries(checked(tensors)));
  return { deformation, params: fromStateDict(deformation.init(shapesOnly), entries, { from: 'the deformation' }) };
}

/**
 * Gaussians in motion from plain data, without an engine: what a viewer asks at each frame. Weights are checked before the first frame.
 *
 * @param known the deformations to choose from; add your own with `deformations.with()`. @default the ones of this package
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
export function playback(
  gaussians: Gaussians,
  { kind, config, tensors }: DeformationData,
  known = deformations,
): (time: number) => Gaussians {
  return play(deformationByName(kind, config, known), checked(tensors), gaussians);
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
