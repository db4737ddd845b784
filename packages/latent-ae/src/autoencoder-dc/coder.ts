import { activations, conv, defineModule, scoped, sequential, type ActivationName, type ConvParams, type Layer } from '@langevin/nn';
import { add, type Generator, type Tensor } from '@langevin/tensor';
import { dcBlock, type DcBlockConfig } from './blocks.ts';
import { channelNorm, type ChannelNormParams } from './norm.ts';
import { channelMeans, channelRepeats, dcDown, dcUp, type DcResizeParams } from './resize.ts';

/** What one level is made of. */
export interface DcLevel extends DcBlockConfig {
  readonly layers: number;
}

interface DcCoderConfig {
  /** Of pictures. */
  readonly pixels: number;
  readonly latents: number;
  /** From the largest picture to the smallest. */
  readonly levels: readonly DcLevel[];
  /** Whether latents are added to, or repeated into, the deepest features. */
  readonly shortcut: 'rearranged' | 'none';
}

/** Names of diffusers. */
export interface DcEncoderParams {
  readonly conv_in: ConvParams | DcResizeParams;
  readonly down_blocks: readonly (readonly unknown[])[];
  readonly conv_out: ConvParams;
}

/** Names of diffusers. */
export interface DcDecoderParams {
  readonly conv_in: ConvParams;
  readonly up_blocks: readonly (readonly unknown[])[];
  readonly norm_out: ChannelNormParams;
  readonly conv_out: ConvParams | DcResizeParams;
}

const anyLayer = (layer: unknown): Layer<unknown> => layer as Layer<unknown>;
const same = (inputs: number, outputs: number) => conv({ inputs, outputs, kernel: 3, padding: 1 });

/** The blocks of a level behind or before a change of size. */
const blocksOf = (level: DcLevel): Layer<unknown>[] => Array.from({ length: level.layers }, () => anyLayer(dcBlock(level)));

/** Channels next to the pictures: an empty first level leaves them to the second. */
const outermost = (levels: readonly DcLevel[]): number => (levels[0]!.layers > 0 ? levels[0]! : levels[1]!).channels;

/** Pictures [N, pixels, H, W] to latents: each level but the last halves the sides, and means of channels are added at the end. */
export function dcEncoder({
  pixels,
  latents,
  levels,
  shortcut,
  by,
}: DcCoderConfig & { readonly by: 'rearranging' | 'stride' }): Layer<DcEncoderParams> {
  const first = outermost(levels);
  const convIn = scoped(
    'conv_in',
    levels[0]!.layers > 0 ? anyLayer(same(pixels, first)) : anyLayer(dcDown({ inputs: pixels, outputs: first, by, shortcut: 'none' })),
  );
  const blocks = levels.map((level, i) => {
    const next = levels[i + 1];
    const down =
      next === undefined || level.layers === 0
        ? []
        : [anyLayer(dcDown({ inputs: level.channels, outputs: next.channels, by, shortcut: 'rearranged' }))];
    return scoped(`down_blocks.${i}`, sequential(...blocksOf(level), ...down));
  });
  const convOut = scoped('conv_out', same(levels.at(-1)!.channels, latents));
  return defineModule({
    init: (generator: Generator): DcEncoderParams => ({
      conv_in: convIn.init(generator) as ConvParams,
      down_blocks: blocks.map((block) => block.init(generator)),
      conv_out: convOut.init(generator),
    }),
    apply(params: DcEncoderParams, x: Tensor) {
      const h = blocks.reduce((state, block, i) => block.apply(params.down_blocks[i] as never, state), convIn.apply(params.conv_in, x));
      const out = convOut.apply(params.conv_out, h);
      return shortcut === 'none' ? out : add(out, channelMeans(h, latents));
    },
  });
}

/** Latents to pictures: repeated channels are added at the beginning, each level but the last doubles the sides. */
export function dcDecoder({
  pixels,
  latents,
  levels,
  shortcut,
  by,
  lastActivation,
}: DcCoderConfig & { readonly by: 'rearranging' | 'copies'; readonly lastActivation: ActivationName }): Layer<DcDecoderParams> {
  const deepest = levels.at(-1)!.channels;
  const last = outermost(levels);
  const convIn = scoped('conv_in', same(latents, deepest));
  const blocks = levels.map((level, i) => {
    const below = levels[i + 1];
    const up =
      below === undefined || level.layers === 0
        ? []
        : [anyLayer(dcUp({ inputs: below.channels, outputs: level.channels, by, shortcut: 'rearranged' }))];
    return scoped(`up_blocks.${i}`, sequential(...up, ...blocksOf(level)));
  });
  const normOut = scoped('norm_out', channelNorm('rms_norm', last));
  const convOut = scoped(
    'conv_out',
    levels[0]!.layers > 0 ? anyLayer(same(last, pixels)) : anyLayer(dcUp({ inputs: last, outputs: pixels, by, shortcut: 'none' })),
  );
  return defineModule({
    init: (generator: Generator): DcDecoderParams => ({
      conv_in: convIn.init(generator),
      up_blocks: blocks.map((block) => block.init(generator)),
      norm_out: normOut.init(generator),
      conv_out: convOut.init(generator) as ConvParams,
    }),
    apply(params: DcDecoderParams, z: Tensor) {
      const begin = convIn.apply(params.conv_in, z);
      const deep = shortcut === 'none' ? begin : add(begin, channelRepeats(z, deepest / latents));
      const h = blocks.reduceRight((state, block, i) => block.apply(params.up_blocks[i] as never, state), deep);
      return convOut.apply(params.conv_out, activations[lastActivation](normOut.apply(params.norm_out, h)));
    },
  });
}
