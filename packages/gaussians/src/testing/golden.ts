import type { Camera } from '@langevin/core';
import type { FloatArray, Gaussians, ShDegree } from '../gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, RenderOptions } from '../rasterizer.ts';
import { GRADIENTS } from './compare.ts';

/** An array of a golden file. */
export interface GoldenArray {
  readonly dtype: 'float32' | 'float64';
  readonly shape: readonly number[];
  /** Base64 of the little-endian elements. */
  readonly data: string;
}

/** Arrays of a golden file by name. */
export type GoldenArrays = Readonly<Record<string, GoldenArray>>;

/** A scene that PyTorch drew, and led gradients back through, in float64 and in float32. */
export interface GaussiansGoldenCase {
  readonly name: string;
  readonly count: number;
  readonly degree: ShDegree;
  /** Least relative distance of a decision from being taken the other way. */
  readonly clearance: number;
  /** How often each decision was taken. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly camera: Omit<Camera, 'worldToCamera'>;
  readonly options: Required<Pick<RenderOptions, 'antialiasing' | 'depth' | 'near' | 'cutoff' | 'degree'>>;
  /** Float32, and so are the cotangents: both precisions start from the same numbers. */
  readonly inputs: GoldenArrays;
  readonly cotangents: GoldenArrays;
  readonly outputs: GoldenArrays;
  readonly gradients: GoldenArrays;
  readonly outputs32: GoldenArrays;
  readonly gradients32: GoldenArrays;
  /** How far rounding moves each array, `outputs/color` and so on, relative to its largest magnitude. */
  readonly spread: Readonly<Record<string, number>>;
}

/** What tooling/parity/gaussians_golden.py writes. */
export interface GaussiansGolden {
  readonly versions: { readonly torch: string };
  readonly tolerance: { readonly float64: number };
  readonly cases: readonly GaussiansGoldenCase[];
}

/** The largest differences of an array from PyTorch's float64, over its largest magnitude. */
export interface GoldenDifference {
  readonly scene: string;
  readonly array: string;
  readonly ours: number;
  /** That of PyTorch's own float32 run. */
  readonly torch32: number;
  readonly allowed: number;
}

/**
 * How far single precision may be off where no decision hangs on rounding, relative to the largest magnitude of an array: what PyTorch's
 * own float32 run is off by, and the spread of the results when alphas and what is kept of a Gaussian are as coarse as kernels have them
 * (see tooling/parity/gaussians_golden.py), twice each, since both are the largest of some draws and not bounds. Gradients are sums over
 * pixels, which PyTorch adds in pairs and kernels one after another: a random walk of one rounding each.
 */
function singlePrecisionBound({ torch32, spread, terms }: Scale): number {
  return 2 * (torch32 + spread) + Math.sqrt(terms) * 2 ** -24;
}

interface Scale {
  readonly torch32: number;
  readonly spread: number;
  /** How many numbers are added up. */
  readonly terms: number;
}

/** Draws the scenes of a golden file in single precision; those with a smooth cut-off are the reference's alone. */
export async function compareGolden(golden: GaussiansGolden, rasterizer: Rasterizer): Promise<readonly GoldenDifference[]> {
  const cases = golden.cases.filter(({ options }) => options.cutoff === 'hard');
  return (
    await Promise.all(cases.map((each) => compareCase(each, { rasterizer, numbers: decoded32, allowed: singlePrecisionBound })))
  ).flat();
}

/** Draws all scenes of a golden file with the reference. */
export async function compareGoldenReference(
  golden: GaussiansGolden,
  rasterizer: Rasterizer<Float64Array>,
): Promise<readonly GoldenDifference[]> {
  const allowed = (): number => golden.tolerance.float64;
  return (await Promise.all(golden.cases.map((each) => compareCase(each, { rasterizer, numbers: decoded, allowed })))).flat();
}

interface Contestant<A extends FloatArray> {
  readonly rasterizer: Rasterizer<A>;
  readonly numbers: (array: GoldenArray) => A;
  readonly allowed: (scale: Scale) => number;
}

async function compareCase<A extends FloatArray>(
  golden: GaussiansGoldenCase,
  { rasterizer, numbers, allowed }: Contestant<A>,
): Promise<readonly GoldenDifference[]> {
  const { inputs, cotangents, outputs, gradients } = golden;
  const of = (arrays: GoldenArrays, name: string): A => numbers(arrays[name]!);
  const gaussians: Gaussians<A> = {
    count: golden.count,
    degree: golden.degree,
    means: of(inputs, 'means'),
    quaternions: of(inputs, 'quaternions'),
    logScales: of(inputs, 'logScales'),
    opacityLogits: of(inputs, 'opacityLogits'),
    sh: of(inputs, 'sh'),
  };
  const optional = (name: 'colors' | 'features') => (inputs[name] === undefined ? {} : { [name]: of(inputs, name) });
  const options: RenderOptions<A> = {
    ...golden.options,
    background: [...of(inputs, 'background')],
    ...optional('colors'),
    ...optional('features'),
  };
  const rendering = await rasterizer.render(gaussians, { ...golden.camera, worldToCamera: [...of(inputs, 'worldToCamera')] }, options);
  const v: Cotangents<A> = Object.fromEntries(Object.keys(cotangents).map((name) => [name, of(cotangents, name)]));
  const back: RenderGradients<A> = await rasterizer.backward(rendering, v);
  const difference = (kind: 'outputs' | 'gradients', name: string, ours: ArrayLike<number> | undefined): GoldenDifference => {
    const truth = decoded(golden[kind][name]!);
    const torch32 = relativeDifference(decoded(golden[`${kind}32`][name]!), truth);
    return {
      scene: golden.name,
      array: kind === 'outputs' ? name : `d ${name}`,
      ours: relativeDifference(ours ?? [], truth),
      torch32,
      allowed: allowed({ torch32, spread: golden.spread[`${kind}/${name}`]!, terms: kind === 'outputs' ? 0 : rendering.alpha.length }),
    };
  };
  return [
    ...(['color', 'alpha', 'depth'] as const)
      .filter((name) => outputs[name] !== undefined)
      .map((name) => difference('outputs', name, rendering[name])),
    ...GRADIENTS.filter((name) => gradients[name] !== undefined).map((name) => difference('gradients', name, back[name])),
  ];
}

/** The largest difference over the largest magnitude of the truth; what is 0 has to be 0. */
function relativeDifference(values: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (values.length !== truth.length) return Infinity;
  let [largest, worst] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const apart = Math.abs(values[i]! - truth[i]!);
    if (Number.isNaN(apart)) return Infinity;
    largest = Math.max(largest, Math.abs(truth[i]!));
    worst = Math.max(worst, apart);
  }
  return worst === 0 ? 0 : worst / largest;
}

function decoded({ dtype, data }: GoldenArray): Float64Array {
  const { buffer } = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return dtype === 'float64' ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
}

function decoded32(array: GoldenArray): Float32Array {
  return Float32Array.from(decoded(array));
}
