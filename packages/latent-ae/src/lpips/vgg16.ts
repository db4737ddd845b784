import { conv, scoped, type ConvParams } from '@langevin/nn';
import { maxPool, relu, type Generator, type Tensor } from '@langevin/tensor';

/** Widths of the convolutions of each stage; between two stages sides are halved. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/** Channels of the maps that {@link vgg16Features} gives. */
export const VGG16_WIDTHS: readonly number[] = STAGES.map((stage) => stage.at(-1)!);

/** Names of torchvision's `features`: the number of a convolution counts activations and pools too. */
export interface Vgg16Params {
  readonly features: Readonly<Record<string, ConvParams>>;
}

/** A convolution, by its number, and whether it ends a stage or begins the next one. */
const LAYERS = layers();

function layers() {
  const all: {
    readonly name: string;
    readonly inputs: number;
    readonly outputs: number;
    readonly first: boolean;
    readonly last: boolean;
  }[] = [];
  let number = 0;
  let inputs = 3;
  for (const [s, stage] of STAGES.entries()) {
    if (s > 0) number += 1;
    for (const [i, outputs] of stage.entries()) {
      all.push({ name: String(number), inputs, outputs, first: s > 0 && i === 0, last: i === stage.length - 1 });
      number += 2;
      inputs = outputs;
    }
  }
  return all.map((layer) => ({ ...layer, conv: scoped(`features.${layer.name}`, conv({ ...layer, kernel: 3, padding: 1 })) }));
}

/** Parameters of the convolutions of VGG16. */
export function initVgg16(generator: Generator): Vgg16Params {
  return { features: Object.fromEntries(LAYERS.map(({ name, conv: layer }) => [name, layer.init(generator)])) };
}

/**
 * The maps of VGG16 after the last activation of each of its five stages (Simonyan and Zisserman 2015, arXiv:1409.1556, configuration D).
 *
 * @param x pictures [N, 3, H, W], normalised as the network was trained; sides of at least 16
 */
export function vgg16Features({ features }: Vgg16Params, x: Tensor): readonly Tensor[] {
  const maps: Tensor[] = [];
  let h = x;
  for (const { name, conv: layer, first, last } of LAYERS) {
    if (first) h = maxPool(h, { kernel: 2, stride: 2 });
    h = relu(layer.apply(features[name]!, h));
    if (last) maps.push(h);
  }
  return maps;
}
