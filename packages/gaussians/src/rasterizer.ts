import type { Camera } from '@langevin/core';
import type { FloatArray, Gaussians } from './gaussians.ts';
import type { AdamStep } from './optimizer/adam.ts';

/** What to draw, and how. */
export interface RenderOptions<A extends FloatArray = Float32Array> {
  /** Colour behind the scene, 3 numbers (and one for each feature channel, 0 if left out). @default black */
  readonly background?: readonly number[];
  /** Spherical harmonics up to this degree are used. @default that of the Gaussians */
  readonly degree?: number;
  /** `mip` keeps the light of Gaussians smaller than a pixel (Yu et al. 2024, arXiv:2311.16493). @default 'none' */
  readonly antialiasing?: 'none' | 'mip';
  /** `accumulated` is the sum of weight times depth, `expected` that divided by alpha. @default 'none' */
  readonly depth?: 'none' | 'accumulated' | 'expected';
  /** Further channels, [N, F], blended like colours. @default none */
  readonly features?: A;
  /** Colours [N, 3] in place of the spherical harmonics. @default none */
  readonly colors?: A;
  /** Gaussians nearer than this along z are not drawn, > 0. @default 0.01 */
  readonly near?: number;
  /** `smooth` fades out where `hard` cuts off, so that finite differences converge; for tests. @default 'hard' */
  readonly cutoff?: 'hard' | 'smooth';
  /**
   * A rendering that nobody reads any more, of this rasterizer or another. Its arrays may hold the new one afterwards, and it has no
   * backward pass: a loop leaves nothing to the garbage collector, which takes its time from the threads that draw. @default new arrays
   */
  readonly reuse?: Rendering<A> | undefined;
}

/** A picture, and what the backward pass needs. Channels are colour, then features. */
export interface Rendering<A extends FloatArray = Float32Array> {
  readonly width: number;
  readonly height: number;
  /** 3 + F. */
  readonly channels: number;
  /** [height, width, channels], background included. */
  readonly color: A;
  /** 1 - transmittance, [height, width]. */
  readonly alpha: A;
  /** [height, width] when asked for. */
  readonly depth?: A;
  /** Reach of each Gaussian in the picture in pixels, 0 when it is not drawn, [N]. */
  readonly radii: A;
}

/** dL/d(output), as far as the loss depends on it. */
export interface Cotangents<A extends FloatArray = Float32Array> {
  readonly color?: A;
  readonly alpha?: A;
  readonly depth?: A;
}

export interface BackwardOptions<A extends FloatArray = Float32Array> {
  /** Gradients that nobody reads any more; their arrays may hold the new ones afterwards. @default new arrays */
  readonly reuse?: RenderGradients<A> | undefined;
}

/** dL/d(input), in the shapes of the inputs. */
export interface RenderGradients<A extends FloatArray = Float32Array> {
  readonly means: A;
  readonly quaternions: A;
  readonly logScales: A;
  readonly opacityLogits: A;
  /** Zero where `colors` were given. */
  readonly sh: A;
  readonly colors?: A;
  readonly features?: A;
  /** [channels] */
  readonly background: A;
  /** Of the 12 numbers of worldToCamera. */
  readonly worldToCamera: A;
  /** dL/d(centre in the picture), in pixels, [N, 2]: what densification looks at. */
  readonly means2d: A;
  /** Sum over pixels of the absolute values of the same, [N, 2] (AbsGS, Ye et al. 2024, arXiv:2404.10484). */
  readonly absoluteMeans2d: A;
}

/** A picture to draw and what to compare it with. */
export interface PhotometricRequest<A extends FloatArray = Float32Array> {
  readonly gaussians: Gaussians<A>;
  readonly camera: Camera;
  /** Neither features nor depth. */
  readonly options?: Omit<RenderOptions<A>, 'features' | 'depth' | 'reuse'>;
  /** What the picture should be, [height, width, 3]. */
  readonly target: A;
  /** What counts, [height, width], 0..255. @default everything */
  readonly mask?: Uint8Array | undefined;
  /** Share of 1 - SSIM, 0..1. */
  readonly dssim: number;
  /** Expected depth to compare by disparity where it is known (> 0), [height, width], and the weight of that. @default none */
  readonly depth?: { readonly target: A; readonly weight: number } | undefined;
  /** Whether `absoluteMeans2d` is wanted; zeros otherwise. @default false */
  readonly absolute?: boolean;
}

/**
 * A picture's loss and its gradients. The arrays belong to the rasterizer and change with its next photometric step; pictures may be drawn
 * meanwhile.
 */
export interface PhotometricStep<A extends FloatArray = Float32Array> {
  readonly loss: number;
  /** Mean absolute and mean squared difference, mean SSIM: of the picture alone. */
  readonly l1: number;
  readonly mse: number;
  readonly ssim: number;
  readonly gradients: RenderGradients<A>;
  /** Whether those of all parameters are finite, when the rasterizer has looked. */
  readonly finite?: boolean;
  /** As in {@link Rendering}. */
  readonly radii: A;
}

/** Memory of a rasterizer's kernels that holds the parameters and moments of one training, so that drawing and Adam copy nothing. */
export interface ParameterMemory {
  /**
   * Copies arrays into the memory in place of those before, whose views become invalid; returns views of the new ones, or undefined when
   * there is no room (those before are invalid then, too).
   */
  readonly load: (arrays: readonly Float32Array[]) => Promise<readonly Float32Array[] | undefined>;
  /** {@link adamStep} for each, by the kernels where the arrays are in this memory. */
  readonly adam: (steps: readonly AdamStep[]) => Promise<void>;
  /** Lets another claim it. The arrays stay valid until then. */
  readonly release: () => void;
}

/**
 * Draws Gaussians and computes gradients: gsplat's semantics (alpha at most 0.99, stop at transmittance 1e-4, opacity-aware reach of at
 * most 3.33 deviations, 0.3 px^2 of blur), whatever does the work.
 */
export interface Rasterizer<A extends FloatArray = Float32Array> {
  readonly name: string;
  readonly kind: 'cpu' | 'webgpu' | 'reference';
  /**
   * @throws UserError for arrays or a camera that do not fit
   */
  readonly render: (gaussians: Gaussians<A>, camera: Camera, options?: RenderOptions<A>) => Promise<Rendering<A>>;
  /**
   * The vector-Jacobian product of a rendering that this rasterizer made; it may be asked for once, before the arrays it was made from
   * change.
   *
   * @throws UserError for a rendering of another rasterizer, or one that was used already
   */
  readonly backward: (rendering: Rendering<A>, cotangents: Cotangents<A>, options?: BackwardOptions<A>) => Promise<RenderGradients<A>>;
  /**
   * `render`, the loss of `photometricLoss`, and `backward` in one, where nothing has to leave the kernels in between. Those that lack it
   * are asked one by one.
   *
   * @throws UserError for arrays or a camera that do not fit
   */
  readonly photometric?: (request: PhotometricRequest<A>) => Promise<PhotometricStep<A>>;
  /** Memory for the parameters of one training, which drawing reads without a copy; undefined while another training has it. */
  readonly claimMemory?: () => ParameterMemory | undefined;
  /** Ends workers and frees device memory; later calls fail. */
  readonly dispose: () => Promise<void>;
}
