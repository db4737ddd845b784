import { activation, activations, conv, defineModule, functional, scoped, sequential, type ActivationName, type Layer } from '@langevin/nn';
import { add, relu, resize, type Generator, type Tensor } from '@langevin/tensor';

export interface TinyCoderConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** Of every level. */
  readonly channels: number;
  /** Residual blocks of each level. */
  readonly blocks: readonly number[];
  readonly activation: ActivationName;
}

/** Names of diffusers: a list with empty places where a layer has no parameters. */
export interface TinyBlockParams {
  readonly conv: readonly unknown[];
}

/** `AutoencoderTinyBlock` of diffusers: three convolutions around a shortcut, and a ReLU, whatever the activation is. */
function tinyBlock({ channels, activation: name }: Pick<TinyCoderConfig, 'channels' | 'activation'>): Layer<TinyBlockParams> {
  const layer = () => conv({ inputs: channels, outputs: channels, kernel: 3, padding: 1 });
  const inner = scoped('conv', sequential(layer(), activation(name), layer(), activation(name), layer()));
  return defineModule({
    init: (generator: Generator): TinyBlockParams => ({ conv: inner.init(generator) }),
    apply: (params: TinyBlockParams, x: Tensor) => relu(add(inner.apply(params.conv as never, x), x)),
  });
}

/** Names of diffusers. */
export interface TinyCoderParams {
  readonly layers: readonly unknown[];
}

const named = (layers: readonly Layer<unknown>[]): Layer<TinyCoderParams> => {
  const inner = scoped('layers', sequential(...layers));
  return defineModule({
    init: (generator: Generator): TinyCoderParams => ({ layers: inner.init(generator) }),
    apply: (params: TinyCoderParams, x: Tensor) => inner.apply(params.layers as never, x),
  });
};

const anyLayer = <P>(layer: Layer<P>): Layer<unknown> => layer as Layer<unknown>;

/**
 * Numbers [N, inputs, H, W] to latents [N, outputs, h, w]; each level but the first halves the sides, of an odd one it keeps the larger
 * half.
 */
export function tinyEncoder({ inputs, outputs, channels, blocks, activation: name }: TinyCoderConfig): Layer<TinyCoderParams> {
  return named([
    ...blocks.flatMap((count, level) => [
      anyLayer(
        level === 0
          ? conv({ inputs, outputs: channels, kernel: 3, padding: 1 })
          : conv({ inputs: channels, outputs: channels, kernel: 3, stride: 2, padding: 1, bias: 'none' }),
      ),
      ...Array.from({ length: count }, () => anyLayer(tinyBlock({ channels, activation: name }))),
    ]),
    anyLayer(conv({ inputs: channels, outputs, kernel: 3, padding: 1 })),
  ]);
}

/** Latents [N, inputs, h, w] to numbers [N, outputs, H, W]; each level but the last multiplies the sides by `factor`. */
export function tinyDecoder({
  inputs,
  outputs,
  channels,
  blocks,
  activation: name,
  factor,
  upsampling,
}: TinyCoderConfig & { readonly factor: number; readonly upsampling: 'nearest' | 'bilinear' }): Layer<TinyCoderParams> {
  const last = blocks.length - 1;
  const grown = functional((x: Tensor) => resize(x, { size: x.shape.slice(2).map((n) => factor * n), mode: upsampling }));
  return named([
    anyLayer(conv({ inputs, outputs: channels, kernel: 3, padding: 1 })),
    anyLayer(functional(activations[name])),
    ...blocks.flatMap((count, level) => [
      ...Array.from({ length: count }, () => anyLayer(tinyBlock({ channels, activation: name }))),
      ...(level === last
        ? [anyLayer(conv({ inputs: channels, outputs, kernel: 3, padding: 1 }))]
        : [anyLayer(grown), anyLayer(conv({ inputs: channels, outputs: channels, kernel: 3, padding: 1, bias: 'none' }))]),
    ]),
  ]);
}
