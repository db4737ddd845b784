import type { HostTensor } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { byName, checkGaussians, PARAMETERS, rowLength, type Gaussians, type ParameterName, type ShDegree } from '../gaussians.ts';
import { zeroMoments } from '../optimizer/adam.ts';
import type { MomentsByName, Population } from '../optimizer/rows.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { firstDifference } from './config.ts';

/** Everything that the next step depends on, apart from settings and scene. */
export interface TrainingState extends Population {
  /** Steps done. */
  readonly step: number;
}

/** A state as named tensors and text: what a safetensors file holds. */
export interface StoredState {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const FORMAT = 'langevin-splat-training-1';

/** A state before the first step. The arrays of the Gaussians are copied. */
export function initialState(gaussians: Gaussians, strategy: Strategy): TrainingState {
  checkGaussians('gaussians/training', gaussians);
  const { count, degree } = gaussians;
  return {
    step: 0,
    gaussians: { count, degree, ...byName((name) => Float32Array.from(gaussians[name])) },
    moments: byName((name) => zeroMoments(gaussians[name].length)) satisfies MomentsByName,
    statistics: Object.fromEntries(Object.entries(strategy.statistics).map(([name, length]) => [name, new Float32Array(length * count)])),
  };
}

/** A copy. @param run what {@link describeRun} says */
export function storeState({ step, gaussians, moments, statistics }: TrainingState, run: unknown): StoredState {
  const { count, degree } = gaussians;
  const tensors = new Map<string, HostTensor>();
  const put = (name: string, data: Float32Array, length: number): void =>
    void tensors.set(name, { dtype: 'float32', shape: [count, length], data: data.slice() });
  for (const name of PARAMETERS) {
    const length = rowLength(name, degree);
    put(name, gaussians[name], length);
    put(`moments.${name}.mean`, moments[name].mean, length);
    put(`moments.${name}.square`, moments[name].square, length);
  }
  for (const [name, values] of Object.entries(statistics)) put(`statistics.${name}`, values, count === 0 ? 0 : values.length / count);
  return { tensors, metadata: { format: FORMAT, step: String(step), degree: String(degree), run: JSON.stringify(run) } };
}

/** @throws UserError when it is damaged, or of a run with other settings or another scene */
export function restoreState(
  stored: StoredState,
  given: { readonly run: unknown; readonly strategy: Strategy; readonly from: string },
): TrainingState {
  const { tensors, metadata } = stored;
  const { from, strategy } = given;
  const fault = (what: string): UserError =>
    new UserError(`[gaussians/checkpoint] cannot go on from ${from}: ${what}. Use an earlier checkpoint, or begin anew in another folder.`);
  if (metadata['format'] !== FORMAT) throw fault(`format=${metadata['format'] ?? 'none'} is not ${FORMAT}`);
  const difference = firstDifference(parse(metadata['run'], fault), JSON.parse(JSON.stringify(given.run)) as unknown);
  if (difference !== undefined)
    throw new UserError(
      `[gaussians/checkpoint] run was started with other settings: ${difference}, checkpoint=${from}. Use the same ones, or `
        + 'another folder.',
    );
  const step = Number(metadata['step']);
  const degree = Number(metadata['degree']);
  if (!Number.isSafeInteger(step) || step < 0 || ![0, 1, 2, 3].includes(degree))
    throw fault(`step=${metadata['step']}, degree=${metadata['degree']}`);
  const count = tensors.get('means')?.shape[0] ?? 0;
  const take = (name: string, length: number): Float32Array => {
    const tensor = tensors.get(name);
    if (
      tensor === undefined
      || tensor.dtype !== 'float32'
      || tensor.shape.length !== 2
      || tensor.shape[0] !== count
      || tensor.shape[1] !== length
    ) {
      throw fault(`tensor ${name} of shape [${tensor?.shape.join(', ') ?? 'none'}], expected [${count}, ${length}] of float32`);
    }
    return Float32Array.from(tensor.data);
  };
  const of =
    (prefix: string, suffix: string) =>
    (name: ParameterName): Float32Array =>
      take(`${prefix}${name}${suffix}`, rowLength(name, degree as ShDegree));
  const mean = of('moments.', '.mean');
  const square = of('moments.', '.square');
  return {
    step,
    gaussians: { count, degree: degree as ShDegree, ...byName(of('', '')) },
    moments: byName((name) => ({ mean: mean(name), square: square(name) })),
    statistics: Object.fromEntries(Object.entries(strategy.statistics).map(([name, length]) => [name, take(`statistics.${name}`, length)])),
  };
}

function parse(text: string | undefined, fault: (what: string) => UserError): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw fault('its description of the run is no JSON');
  }
}
