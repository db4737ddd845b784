import { type Camera, checkCamera } from '@langevin/core';
import { hostOp, showShape, tensor, UserError, type HostArray, type Tensor } from '@langevin/tensor';
import { shCoefficients, type FloatArray, type Gaussians, type ShDegree } from './gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, Rendering, RenderOptions } from './rasterizer.ts';

/** N Gaussians as float32 tensors: what {@link Gaussians} holds, in shapes. */
export interface GaussianTensors {
  /** [N, 3] */
  readonly means: Tensor;
  /** (w, x, y, z), [N, 4]; normalised when used. */
  readonly quaternions: Tensor;
  /** [N, 3] */
  readonly logScales: Tensor;
  /** [N] */
  readonly opacityLogits: Tensor;
  /** [N, (degree + 1)^2, 3] */
  readonly sh: Tensor;
}

/** A rasterizer of either precision; tensors are float32. */
export type AnyRasterizer = Rasterizer | Rasterizer<Float64Array>;

export interface RasterizeOptions extends Pick<RenderOptions, 'degree' | 'antialiasing' | 'depth' | 'near' | 'cutoff'> {
  /** From where: one camera, or a list of cameras of one size. */
  readonly camera: Camera | readonly Camera[];
  /** Behind the scene: [channels], or [B, channels] with one for each camera. @default black */
  readonly background?: Tensor | readonly number[];
  /** Colours [N, 3] in place of the spherical harmonics. @default none */
  readonly colors?: Tensor;
  /** Further channels, [N, F]. @default none */
  readonly features?: Tensor;
  /**
   * Poses [3, 4] or [B, 3, 4], rows of [R | t], in place of those of the cameras: for gradients by the pose.
   * @default those of the cameras
   */
  readonly worldToCamera?: Tensor;
  /** Sees what came back for each camera when gradients are computed: densification wants `means2d`. @default nobody */
  readonly onGradients?: (gradients: RenderGradients, rendering: Rendering, camera: number) => void;
}

/** Pictures as float32 tensors; with a list of cameras all have a first axis B. */
export interface RasterizedTensors {
  /** [H, W, 3 + F], background included. */
  readonly color: Tensor;
  /** [H, W] */
  readonly alpha: Tensor;
  /** [H, W], when asked for. */
  readonly depth?: Tensor;
}

type InputName = keyof GaussianTensors | 'colors' | 'features' | 'background' | 'worldToCamera';

/** Gaussians as tensors, to compute with: float32, whatever they were. */
export function gaussianTensors({
  count,
  degree,
  means,
  quaternions,
  logScales,
  opacityLogits,
  sh,
}: Gaussians<FloatArray>): GaussianTensors {
  const of = (array: FloatArray, shape: readonly number[]): Tensor => tensor(Float32Array.from(array), { shape });
  return {
    means: of(means, [count, 3]),
    quaternions: of(quaternions, [count, 4]),
    logScales: of(logScales, [count, 3]),
    opacityLogits: of(opacityLogits, [count]),
    sh: of(sh, [count, shCoefficients(degree), 3]),
  };
}

/**
 * What a rasterizer draws, as tensors with gradients to every tensor that goes in: the five of the Gaussians, `colors`, `features`,
 * `background` and
 * `worldToCamera`. One camera gives [H, W, C], a list [B, H, W, C]. Runs when realised, forwards and backwards once; it cannot be part of
 * `compile`.
 *
 * @throws UserError for shapes that do not fit, or cameras of different sizes
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const camera = lookAt({ width: 16, height: 16, fx: 16, fy: 16, cx: 8, cy: 8, eye: [0, 0, -4], target: [0, 0, 0] });
 * const photograph = zeros([16, 16, 3]);
 * const params = gaussianTensors(gaussians);
 * const loss = (p: GaussianTensors) => mean(square(sub(rasterizeTensors(referenceRasterizer(), p, { camera }).color, photograph)));
 * const { value, grad } = valueAndGrad(loss)(params);
 * [value.shape, grad.means.shape]; // => [[], [2, 3]]
 */
export function rasterizeTensors(rasterizer: AnyRasterizer, gaussians: GaussianTensors, options: RasterizeOptions): RasterizedTensors {
  const { camera: cameras, ...settings } = options;
  const list: readonly Camera[] = isList(cameras) ? cameras : [cameras];
  const batch = isList(cameras) ? [cameras.length] : [];
  const { background, colors, features, worldToCamera, depth = 'none', onGradients, ...rest } = settings;
  const inputs = new Map<InputName, Tensor>(
    Object.entries({
      ...pick(gaussians),
      ...(colors && { colors }),
      ...(features && { features }),
      ...(worldToCamera && { worldToCamera }),
    }) as [InputName, Tensor][],
  );
  if (background) inputs.set('background', 'dtype' in background ? background : tensor([...background]));
  const { width, height } = list[0] ?? fail('no camera: cameras=[]. Pass one at least.');
  list.forEach((camera) => {
    checkCamera('gaussians/op', camera);
    if (camera.width !== width || camera.height !== height)
      fail(`cameras differ in size: ${camera.width}x${camera.height} beside ${width}x${height}. Draw each size in a call of its own.`);
  });
  const { count, degree } = checkInputs(inputs, list.length);
  const channels = 3 + (features?.shape[1] ?? 0);
  const names = [...inputs.keys()];
  const single = inSingle(rasterizer);

  const render = async (arrays: readonly HostArray[], signal: AbortSignal | undefined): Promise<Rendering[]> => {
    const of = (name: InputName): Float32Array | undefined => arrays[names.indexOf(name)] as Float32Array | undefined;
    const scene = {
      count,
      degree,
      means: of('means')!,
      quaternions: of('quaternions')!,
      logScales: of('logScales')!,
      opacityLogits: of('opacityLogits')!,
      sh: of('sh')!,
    };
    const given = { colors: of('colors'), features: of('features') };
    const renderings: Rendering[] = [];
    for (const [i, camera] of list.entries()) {
      signal?.throwIfAborted();
      const pose = of('worldToCamera')?.subarray(12 * i, 12 * i + 12);
      const behind = rowOf(of('background'), inputs.get('background'), i);
      renderings.push(
        await single.render(scene, pose ? { ...camera, worldToCamera: Array.from(pose) } : camera, {
          ...rest,
          depth,
          ...(behind && { background: Array.from(behind) }),
          ...(given.colors && { colors: given.colors }),
          ...(given.features && { features: given.features }),
        }),
      );
    }
    return renderings;
  };

  // Renderings wait here for the backward pass, which uses them up: asked for a second time, it draws again.
  let waiting: readonly Rendering[] | undefined;
  const outputs = (['color', 'alpha', ...(depth === 'none' ? [] : (['depth'] as const))] as const).map((name) => ({
    name,
    shape: [...batch, height, width, ...(name === 'color' ? [channels] : [])],
  }));
  const results = hostOp({
    name: 'rasterize',
    inputs: [...inputs.values()],
    outputs,
    run: async (arrays, { signal }) => {
      const renderings = await render(arrays, signal);
      waiting = renderings;
      return outputs.map(({ name }) => joined(renderings.map((rendering) => rendering[name]!)));
    },
    gradient({ inputs: at, cotangents }) {
      const present = outputs.flatMap(({ name }, i) => (cotangents[i] ? [{ name, cotangent: cotangents[i] }] : []));
      return hostOp({
        name: 'rasterize, backwards',
        inputs: [...at, ...present.map(({ cotangent }) => cotangent)],
        outputs: at,
        run: async (arrays, { signal }) => {
          const renderings = waiting ?? (await render(arrays, signal));
          waiting = undefined;
          const sums = new Map(names.map((name) => [name, new Float32Array(inputs.get(name)!.size)]));
          let gradients: RenderGradients | undefined;
          for (const [i, rendering] of renderings.entries()) {
            signal?.throwIfAborted();
            const slices = present.map(({ name }, j) => [
              name,
              rowOf(arrays[names.length + j] as Float32Array, { rank: 2, shape: [list.length] }, i),
            ]);
            // Whoever was shown the last ones may keep them.
            gradients = await single.backward(rendering, Object.fromEntries(slices) as Cotangents, onGradients ? {} : { reuse: gradients });
            onGradients?.(gradients, rendering, i);
            for (const name of names) addRow(sums.get(name)!, gradients[name]!, isPerCamera(name, inputs.get(name)!) ? i : 0);
          }
          return names.map((name) => sums.get(name)!);
        },
      });
    },
  });
  return { color: results[0]!, alpha: results[1]!, ...(results[2] && { depth: results[2] }) };
}

function isList(cameras: Camera | readonly Camera[]): cameras is readonly Camera[] {
  return Array.isArray(cameras);
}

function pick({ means, quaternions, logScales, opacityLogits, sh }: GaussianTensors): GaussianTensors {
  return { means, quaternions, logScales, opacityLogits, sh };
}

function fail(text: string): never {
  throw new UserError(`[gaussians/op] ${text}`);
}

/** Shapes of everything. */
function checkInputs(inputs: ReadonlyMap<InputName, Tensor>, cameras: number): { readonly count: number; readonly degree: ShDegree } {
  const count = inputs.get('means')!.shape[0] ?? fail('means have no rows: shape=[]. Pass [N, 3].');
  const coefficients = inputs.get('sh')!.shape[1];
  const degree =
    ([0, 1, 2, 3] as const).find((d) => shCoefficients(d) === coefficients)
    ?? fail(`no degree has these spherical harmonics: sh=${showShape(inputs.get('sh')!.shape)}. Pass [N, K, 3] with K = 1, 4, 9 or 16.`);
  const channels = 3 + (inputs.get('features')?.shape[1] ?? 0);
  const allowed: Record<InputName, readonly (readonly number[])[]> = {
    means: [[count, 3]], quaternions: [[count, 4]], logScales: [[count, 3]], opacityLogits: [[count]], sh: [[count, coefficients!, 3]],
    colors: [[count, 3]], features: [[count, channels - 3]], background: [[channels], [cameras, channels], [3]],
    worldToCamera: cameras === 1 ? [[3, 4], [1, 3, 4]] : [[cameras, 3, 4]],
  }; // prettier-ignore
  for (const [name, { shape, dtype }] of inputs) {
    if (dtype !== 'float32') fail(`tensor is not float32: ${name}=${dtype}. cast() it.`);
    if (!allowed[name].some((wanted) => wanted.length === shape.length && wanted.every((n, i) => n === shape[i]))) {
      fail(
        `tensor does not fit: ${name}=${showShape(shape)}, expected ${allowed[name].map(showShape).join(' or ')} for ${count} `
          + `Gaussians and ${cameras} cameras. Reshape it.`,
      );
    }
  }
  return { count, degree };
}

function isPerCamera(name: InputName, { rank }: Tensor): boolean {
  return name === 'worldToCamera' || (name === 'background' && rank === 2);
}

/** The part of an array that belongs to a camera: a row, if it has rows for cameras. */
function rowOf(
  array: Float32Array | undefined,
  layout: { readonly rank: number; readonly shape: readonly number[] } | undefined,
  camera: number,
): Float32Array | undefined {
  if (!array || layout?.rank !== 2) return array;
  const length = array.length / layout.shape[0]!;
  return array.subarray(camera * length, (camera + 1) * length);
}

/** Adds a gradient to a row of a sum; the background may have fewer channels than the picture. */
function addRow(sum: Float32Array, gradient: Float32Array, row: number): void {
  const length = Math.min(sum.length, gradient.length);
  for (let i = 0; i < length; i++) sum[row * gradient.length + i]! += gradient[i]!;
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  arrays.reduce((at, array) => (all.set(array, at), at + array.length), 0);
  return all;
}

const DOUBLE_KINDS: ReadonlySet<Rasterizer['kind']> = new Set(['reference']);

/** A rasterizer that takes and gives float32, as tensors do. */
function inSingle(rasterizer: AnyRasterizer): Rasterizer {
  if (!DOUBLE_KINDS.has(rasterizer.kind)) return rasterizer as Rasterizer;
  const double = rasterizer as Rasterizer<Float64Array>;
  const inner = new WeakMap<Rendering, Rendering<Float64Array>>();
  return {
    name: double.name,
    kind: double.kind,
    async render(gaussians, camera, { reuse: _, ...options } = {}) {
      const rendering = await double.render(converted(gaussians, Float64Array), camera, converted(options, Float64Array));
      const rounded = converted(rendering, Float32Array);
      inner.set(rounded, rendering);
      return rounded;
    },
    backward: async (rendering, cotangents) =>
      converted(await double.backward(inner.get(rendering)!, converted(cotangents, Float64Array)), Float32Array),
    dispose: () => double.dispose(),
  };
}

/** The same object with its typed arrays in another precision. */
type Converted<T, A extends FloatArray> = {
  readonly [K in keyof T]: T[K] extends FloatArray | undefined ? Exclude<T[K], FloatArray> | A : T[K];
};

function converted<T extends object, A extends FloatArray>(
  value: T,
  type: { readonly from: (array: ArrayLike<number>) => A },
): Converted<T, A> {
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [
      key,
      part instanceof Float32Array || part instanceof Float64Array ? type.from(part) : part,
    ]),
  ) as Converted<T, A>;
}
