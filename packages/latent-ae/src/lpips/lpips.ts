import { conv, fitWeights, inFloat32, scoped, shapesOnly, type ConvParams, type WeightEntry, type WeightRules } from '@langevin/nn';
import {
  add,
  checkNumber,
  div,
  mean,
  readOptions,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  UserError,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { initVgg16, VGG16_WIDTHS, vgg16Features, type Vgg16Params } from './vgg16.ts';

/** Names of torchvision's VGG16, and of the published linear heads. */
export interface LpipsParams extends Vgg16Params {
  /** Weights of the channels of each map, [1, channels, 1, 1]. */
  readonly lin0: { readonly model: { readonly '1': ConvParams } };
  readonly lin1: { readonly model: { readonly '1': ConvParams } };
  readonly lin2: { readonly model: { readonly '1': ConvParams } };
  readonly lin3: { readonly model: { readonly '1': ConvParams } };
  readonly lin4: { readonly model: { readonly '1': ConvParams } };
}

type Head = 'lin0' | 'lin1' | 'lin2' | 'lin3' | 'lin4';
const HEADS: readonly Head[] = ['lin0', 'lin1', 'lin2', 'lin3', 'lin4'];

/** Mean and deviation of the pictures of ImageNet, for pictures in [-1, 1]: the numbers of the published code. */
const SHIFT = [-0.03, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.45];
/** Keeps features that are all 0 from dividing by zero. */
const LEAST = 1e-10;

const heads = VGG16_WIDTHS.map((inputs, i) => scoped(`${HEADS[i]!}.model.1`, conv({ inputs, outputs: 1, kernel: 1, bias: 'none' })));

/** Parameters of the shape of LPIPS; fresh ones measure nothing: {@link lpipsWeights} reads the published ones. */
export function initLpips(generator: Generator): LpipsParams {
  const made = Object.fromEntries(heads.map((head, i) => [HEADS[i]!, { model: { '1': head.init(generator) } }]));
  return { ...initVgg16(generator), ...(made as Omit<LpipsParams, 'features'>) };
}

/** What files spell otherwise: the package of its authors keeps VGG16 in slices, and its heads twice. */
export const lpipsWeightRules: WeightRules = {
  renames: [
    { pattern: /net\.slice\d\.(\d+)\.(weight|bias)/u, becomes: 'features.$1.$2', reason: "slices of the authors' package" },
    {
      pattern: /lins\.(\d)\.model\.1\.weight/u,
      becomes: 'lin$1.model.1.weight',
      ifBoth: 'ignored',
      reason: "heads of the authors' package",
    },
  ],
  ignored: [
    { pattern: /scaling_layer\.(?:shift|scale)/u, reason: 'a constant' },
    { pattern: /classifier\..*/u, reason: 'of VGG16 as a classifier' },
  ],
};

/**
 * The weights of LPIPS from the tensors of a safetensors file: VGG16 as torchvision or the authors' package names it, with the linear heads
 * `lin0` to `lin4`, all in one file.
 *
 * @param from the file, for messages
 * @throws UserError naming what is missing or does not fit
 * @example
 * const own = initLpips(torchGenerator(0)); // in place of the tensors of a file
 * const { lin0 } = lpipsWeights(namedTensors(own), 'my file');
 * lin0.model['1'].weight.shape; // => [1, 64, 1, 1]
 */
export function lpipsWeights(entries: ReadonlyMap<string, WeightEntry>, from = 'the file'): LpipsParams {
  return fitWeights(initLpips(shapesOnly), entries, { rules: lpipsWeightRules, from }).params;
}

/**
 * LPIPS of pictures: at the five depths of VGG16, features of each place are made unit vectors over the channels, their squared differences
 * weighed by the published heads, averaged over places, and summed over depths (Zhang et al. 2018, arXiv:1801.03924, eq. 1).
 *
 * @param a pictures [N, 3, H, W] in [-1, 1], sides of at least 16
 * @param b others of the same shape
 * @returns [N], at least 0
 * @throws UserError for pictures of another form
 */
export function lpipsDistance(params: LpipsParams, { a, b }: { readonly a: Tensor; readonly b: Tensor }): Tensor {
  for (const [name, x] of Object.entries({ a, b })) {
    if (x.rank === 4 && x.shape[1] === 3 && x.shape[2]! >= 16 && x.shape[3]! >= 16 && x.shape.join() === a.shape.join()) continue;
    throw new UserError(
      `[latent-ae/lpips] pictures do not fit: ${name}=[${x.shape.join(', ')}]. Give two of [N, 3, H, W], sides of at least 16.`,
    );
  }
  const own = inFloat32(params);
  const [first, second] = [vgg16Features(own, normalised(a)), vgg16Features(own, normalised(b))];
  return first
    .map((map, i) => {
      const apart = square(sub(unit(map), unit(second[i]!)));
      return mean(heads[i]!.apply(own[HEADS[i]!].model['1'], apart), { axes: [1, 2, 3] });
    })
    .reduce((total, each) => add(total, each));
}

function normalised(x: Tensor): Tensor {
  const of = (values: readonly number[]): Tensor => tensor(Float32Array.from(values), { shape: [1, 3, 1, 1] });
  return div(sub(x, of(SHIFT)), of(SCALE));
}

function unit(x: Tensor): Tensor {
  // A square root has no gradient at 0.
  return div(x, add(sqrt(add(sum(square(x), { axes: [1], dims: 'keep' }), LEAST ** 2)), LEAST));
}

/** @throws UserError for a weight out of range */
export function checkLpipsOptions(options: { readonly weight?: number }): number {
  const { weight = 1 } = readOptions('latent-ae/lpips', options);
  checkNumber('latent-ae/lpips', { weight }, { atLeast: 0, atMost: 1e6 });
  return weight;
}
