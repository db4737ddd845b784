import { checkViews, type RenderedMaps, type Renderer, type View } from '@langevin/core';
import { checkNumber, float32Data, readOptions, tensor, UserError, type Tensor } from '@langevin/tensor';
import { byName, shCoefficients, type FloatArray, type Gaussians, type ParameterName, type ShDegree } from './gaussians.ts';
import type { Rasterizer, Rendering, RenderGradients, RenderOptions } from './rasterizer.ts';

const WHERE = 'gaussians/renderer';

/** The parameters of Gaussians, in the shapes that {@link Gaussians} says; how many there are follows from them. */
export type GaussianParameters<A extends FloatArray = Float32Array> = Pick<Gaussians<A>, ParameterName>;

export interface SplatRendererOptions<A extends FloatArray = Float32Array> {
  /** What draws. Its arrays are those of the parameters: `referenceRasterizer()` takes float64. */
  readonly rasterizer: Rasterizer<A>;
  /** Of the spherical harmonics. @default 0, one colour from all sides, as score distillation begins with */
  readonly degree?: ShDegree;
  /** Behind the scene where a view does not say, in [-1, 1]. @default black, [-1, -1, -1] */
  readonly background?: View['background'];
  /** As in {@link RenderOptions}. @default 'none' */
  readonly antialiasing?: RenderOptions['antialiasing'];
  /** Whether distances are drawn too: `accumulated` or `expected`, as in {@link RenderOptions}. @default 'none' */
  readonly depth?: RenderOptions['depth'];
}

/**
 * A rasterizer as a renderer of views: what score distillation and reconstruction receive. Views are drawn one after the other; the
 * gradient is the sum of theirs. Of a scene that moves, give the parameters of the moment: a view's time is not looked at.
 *
 * @throws UserError for options out of range; when it draws, for views that are none or of several sizes, or parameters that do not fit
 * @example
 * const point = { count: 1, positions: Float32Array.of(0, 0, 0), colors: Uint8Array.of(255, 80, 0) };
 * const gaussians = gaussiansFromPoints(point, { degree: 0 });
 * const rasterizer = cpuRasterizer({ threads: 1 });
 * const renderer = splatRenderer({ rasterizer });
 * const camera = lookAt({ eye: [0, 0, -3], target: [0, 0, 0], width: 8, height: 6, fx: 8, fy: 8, cx: 4, cy: 3 });
 * const { color } = await renderer.render(gaussians, [{ camera }, { camera, background: [1, 1, 1] }]);
 * color.shape; // => [2, 3, 6, 8]
 * await rasterizer.dispose();
 */
export function splatRenderer<A extends FloatArray = Float32Array>(options: SplatRendererOptions<A>): Renderer<GaussianParameters<A>> {
  const known = ['rasterizer', 'degree', 'background', 'antialiasing', 'depth'];
  const given = readOptions(WHERE, options, known);
  const { rasterizer, degree = 0, background = [-1, -1, -1], antialiasing = 'none', depth = 'none' } = given;
  if (typeof rasterizer?.render !== 'function')
    throw new UserError(`[${WHERE}] there is nothing to draw with: rasterizer=${String(rasterizer)}. Pass cpuRasterizer(), say.`);
  checkNumber(WHERE, { degree }, { atLeast: 0, atMost: 3, kind: 'integer' });
  return Object.freeze({
    name: rasterizer.name,
    render: async (params: GaussianParameters<A>, views: readonly View[]) => {
      checkViews(WHERE, views);
      const gaussians: Gaussians<A> = { ...params, count: countOf(params, degree), degree };
      const drawn: Rendering<A>[] = [];
      for (const { camera, background: own = background } of views) {
        const behind = own.map((value) => (value + 1) / 2);
        drawn.push(await rasterizer.render(gaussians, camera, { background: behind, antialiasing, depth }));
      }
      const maps: RenderedMaps = {
        color: planesOf(
          drawn.map(({ color }) => color),
          { ...sizeOf(drawn), channels: 3, scale: 2, shift: -1 },
        ),
        alpha: planesOf(
          drawn.map(({ alpha }) => alpha),
          { ...sizeOf(drawn), channels: 1, scale: 1, shift: 0 },
        ),
        ...(depth !== 'none' && {
          depth: planesOf(
            drawn.map((view) => view.depth!),
            { ...sizeOf(drawn), channels: 1, scale: 1, shift: 0 },
          ),
        }),
      };
      return { ...maps, vjp: (cotangents) => pulledBack(cotangents, { rasterizer, drawn, maps, gaussians }) };
    },
  } satisfies Renderer<GaussianParameters<A>>);
}

function countOf({ opacityLogits, sh }: GaussianParameters<FloatArray>, degree: ShDegree): number {
  const count = opacityLogits?.length ?? 0;
  if (sh?.length === 3 * shCoefficients(degree) * count) return count;
  throw new UserError(
    `[${WHERE}] harmonics are of another degree: sh.length=${sh?.length ?? 0}, Gaussians=${count}, degree=${degree}. Pass the degree.`,
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf([first]: readonly Rendering<FloatArray>[]): Size {
  return { width: first!.width, height: first!.height };
}

/** Interleaved values of each view as planes [V, channels, H, W]. */
function planesOf(
  views: readonly FloatArray[],
  { width, height, channels, scale, shift }: Size & { readonly channels: number; readonly scale: number; readonly shift: number },
): Tensor {
  const pixels = width * height;
  const planes = new Float32Array(views.length * channels * pixels);
  views.forEach((values, v) => {
    for (let c = 0; c < channels; c += 1)
      for (let i = 0; i < pixels; i += 1) planes[(v * channels + c) * pixels + i] = scale * values[i * channels + c]! + shift;
  });
  return tensor(planes, { shape: [views.length, channels, height, width] });
}

const CHANNELS = { color: 3, alpha: 1, depth: 1 } as const;

/** The gradients of all views, added up. */
async function pulledBack<A extends FloatArray>(
  cotangents: Partial<RenderedMaps>,
  {
    rasterizer,
    drawn,
    maps,
    gaussians,
  }: {
    readonly rasterizer: Rasterizer<A>;
    readonly drawn: readonly Rendering<A>[];
    readonly maps: RenderedMaps;
    readonly gaussians: Gaussians<A>;
  },
): Promise<GaussianParameters<A>> {
  const arrays: Partial<Record<keyof RenderedMaps, Float32Array>> = {};
  for (const name of ['color', 'alpha', 'depth'] as const) {
    const given = cotangents[name];
    if (given === undefined) continue;
    if (maps[name] === undefined || given.shape.join() !== maps[name].shape.join())
      throw new UserError(
        `[${WHERE}] gradient is not that of what was drawn: ${name}=[${given.shape.join(', ')}], drawn=`
          + `${maps[name] === undefined ? 'nothing' : `[${maps[name].shape.join(', ')}]`}. Give one of the same shape.`,
      );
    arrays[name] = await float32Data(given);
  }
  const total = byName((name) => new (gaussians[name].constructor as new (length: number) => A)(gaussians[name].length));
  for (const [v, view] of drawn.entries()) {
    const found: RenderGradients<A> = await rasterizer.backward(view, {
      ...(arrays.color && { color: interleaved(arrays.color, { view, v, name: 'color', like: view.color, scale: 2 }) }),
      ...(arrays.alpha && { alpha: interleaved(arrays.alpha, { view, v, name: 'alpha', like: view.color, scale: 1 }) }),
      ...(arrays.depth && { depth: interleaved(arrays.depth, { view, v, name: 'depth', like: view.color, scale: 1 }) }),
    });
    byName((name) => found[name].forEach((value, i) => (total[name][i]! += value)));
  }
  return total;
}

/** One view of planes [V, channels, H, W], interleaved again. */
function interleaved<A extends FloatArray>(
  planes: Float32Array,
  {
    view: { width, height },
    v,
    name,
    like,
    scale,
  }: {
    readonly view: Size;
    readonly v: number;
    readonly name: keyof RenderedMaps;
    readonly like: A;
    readonly scale: number;
  },
): A {
  const [channels, pixels] = [CHANNELS[name], width * height];
  const values = new (like.constructor as new (length: number) => A)(channels * pixels);
  for (let i = 0; i < values.length; i += 1)
    values[i] = scale * planes[(v * channels + (i % channels)) * pixels + Math.floor(i / channels)]!;
  return values;
}
