import type { ActivationName } from '@langevin/nn';
import { checkNumber, compile, readOptions, type Engine, type Tensor } from '@langevin/tensor';
import type { TileProgress } from '../../tiling/in-tiles.ts';
import { batchOf, picturesOf, type Planes } from '../../tiling/planes.ts';
import type { DecoderParams, EncoderParams } from '../coder.ts';
import type { MidBlockParams } from '../mid-block.ts';
import { attentionInBands, beginInBands, downInBands, headInBands, resnetInBands, upInBands, type BandsAt } from './layers.ts';
import { bandPrograms } from './programs.ts';
import type { FeatureMap } from './statistics.ts';

export interface BandsOptions {
  /**
   * How many pixels of a picture are computed at once, at each of its sizes: fewer need less memory.
   *
   * @default 16384: 16 MiB for the 256 channels of large autoencoders
   */
  readonly pixels?: number;
  /** How many products of queries with keys are held at once in the attention of the middle. @default 2^24: 64 MiB */
  readonly scores?: number;
  /** @default the default engine */
  readonly engine?: Engine;
}

/** Of one call. */
export interface BandsCall {
  /** Called after each layer. */
  readonly onProgress?: (progress: TileProgress) => void;
  /** Looked at before each band: what it was aborted with is thrown. */
  readonly signal?: AbortSignal;
}

/** An autoencoder whose layers are computed band by band over the whole picture, so that the result is that of the picture at once. */
export interface BandedCoder<Params> {
  /** Pictures [N, C, H, W] to the moments of their latents, or the latents where there is no distribution. */
  readonly encode: (params: Params, x: Tensor, call?: BandsCall) => Promise<Tensor>;
  /** Latents [N, C, h, w] to pictures. */
  readonly decode: (params: Params, z: Tensor, call?: BandsCall) => Promise<Tensor>;
  /** Free what was compiled. */
  readonly dispose: () => Promise<void>;
}

/** What a class says of itself. */
export interface BandedConfig<Params> {
  /** "package/part", as errors begin. */
  readonly where: string;
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: ActivationName;
  readonly encoder: (params: Params) => EncoderParams;
  readonly decoder: (params: Params) => DecoderParams;
  /** From what the encoder makes to what `encode` gives, and from latents to what the decoder takes: small, computed at once. */
  readonly afterEncoder: (params: Params, h: Tensor) => Tensor;
  readonly beforeDecoder: (params: Params, z: Tensor) => Tensor;
  /** Refuse what does not fit. */
  readonly checkPictures: (shape: readonly number[]) => void;
  readonly checkLatents: (shape: readonly number[]) => void;
}

/** One layer, with its parameters. */
type Step = (map: FeatureMap, at: BandsAt) => Promise<FeatureMap>;

/**
 * Exact tiling. Norms over a picture want statistics of all of it, so that a network cannot be run on one tile after the other; but a
 * layer can. Each
 * layer goes over the picture in bands of rows, with the rows next to them that its convolutions see, and adds up the moments of each
 * group in
 * double precision for the next norm; a residual block, which has a norm inside, goes over it twice. The middle's attention has all keys
 * and values, and queries of some rows at a time. What lies between two layers is on the host; an engine holds a band.
 */
export function bandedCoder<Params>(config: BandedConfig<Params>, options: BandsOptions = {}): BandedCoder<Params> {
  const { where, groups, epsilon, activation } = config;
  const given = readOptions(where, options, ['pixels', 'scores', 'engine']);
  const { pixels = 16384, scores = 2 ** 24, engine } = given;
  checkNumber(where, { pixels, scores }, { kind: 'integer', atLeast: 1, atMost: 2 ** 40 });
  const onEngine = engine === undefined ? {} : { engine };
  const programs = bandPrograms({ groups, activation, engine });
  const after = compile((params: Params, h: Tensor): Tensor => config.afterEncoder(params, h), { name: 'after the encoder', ...onEngine });
  const before = compile((params: Params, z: Tensor): Tensor => config.beforeDecoder(params, z), {
    name: 'before the decoder',
    ...onEngine,
  });

  const each = async (
    batch: Tensor,
    call: BandsCall | undefined,
    make: (picture: Planes, run: Run) => Promise<Planes>,
  ): Promise<Tensor> => {
    const { onProgress, signal } = readOptions(where, call, ['onProgress', 'signal']);
    const at: BandsAt = { programs, engine, epsilon, pixels, scores, check: () => signal?.throwIfAborted() };
    const pictures = await picturesOf(batch, onEngine);
    const made: Planes[] = [];
    for (const [i, picture] of pictures.entries()) {
      const report = (done: number, of: number) => onProgress?.({ done: i * of + done, of: pictures.length * of });
      made.push(await make(picture, { at, report }));
    }
    return batchOf(made);
  };

  return Object.freeze({
    async encode(params: Params, x: Tensor, call?: BandsCall) {
      config.checkPictures(x.shape);
      const inner = config.encoder(params);
      const made = await each(x, call, (picture, run) => through(encoderSteps(inner), { params: inner, picture, run }));
      return (await after(params as never, made as never)) as Tensor;
    },
    async decode(params: Params, z: Tensor, call?: BandsCall) {
      config.checkLatents(z.shape);
      const inner = config.decoder(params);
      const begun = (await before(params as never, z as never)) as Tensor;
      return each(begun, call, (picture, run) => through(decoderSteps(inner), { params: inner, picture, run }));
    },
    async dispose() {
      await Promise.all([...Object.values(programs), after, before].map((program) => program.dispose()));
    },
  });
}

interface Run {
  readonly at: BandsAt;
  readonly report: (done: number, of: number) => void;
}

/** First convolution, steps, last convolution. */
async function through(
  steps: readonly Step[],
  { params, picture, run: { at, report } }: { readonly params: EncoderParams | DecoderParams; readonly picture: Planes; readonly run: Run },
): Promise<Planes> {
  const of = steps.length + 2;
  let map = await beginInBands(params.conv_in, picture, at);
  report(1, of);
  for (const [i, step] of steps.entries()) {
    map = await step(map, at);
    report(i + 2, of);
  }
  const out = await headInBands(params, map, at);
  report(of, of);
  return out;
}

function middleSteps({ resnets: [first, second], attentions }: MidBlockParams): readonly Step[] {
  return [
    (map, at) => resnetInBands(first, map, at),
    ...(attentions?.map(
      (params): Step =>
        (map, at) =>
          attentionInBands(params, map, at),
    ) ?? []),
    (map, at) => resnetInBands(second, map, at),
  ];
}

function encoderSteps({ down_blocks: blocks, mid_block: middle }: EncoderParams): readonly Step[] {
  return [
    ...blocks.flatMap(({ resnets, downsamplers }) => [
      ...resnets.map(
        (params): Step =>
          (map, at) =>
            resnetInBands(params, map, at),
      ),
      ...(downsamplers?.map(
        (params): Step =>
          (map, at) =>
            downInBands(params, map, at),
      ) ?? []),
    ]),
    ...middleSteps(middle),
  ];
}

function decoderSteps({ mid_block: middle, up_blocks: blocks }: DecoderParams): readonly Step[] {
  return [
    ...middleSteps(middle),
    ...blocks.flatMap(({ resnets, upsamplers }) => [
      ...resnets.map(
        (params): Step =>
          (map, at) =>
            resnetInBands(params, map, at),
      ),
      ...(upsamplers?.map(
        (params): Step =>
          (map, at) =>
            upInBands(params, map, at),
      ) ?? []),
    ]),
  ];
}
