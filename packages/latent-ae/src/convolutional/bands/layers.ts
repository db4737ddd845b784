import type { ConvParams, PixelAttentionParams, ResampleParams, ResnetBlockParams } from '@langevin/nn';
import { data, dispose, tensor, type Engine, type Tensor } from '@langevin/tensor';
import { cutOut, emptyPlanes, putInto, type Planes } from '../../tiling/planes.ts';
import type { BandPrograms, Ends, HeadParams, MeasuredRows, NormTensors } from './programs.ts';
import { merged, ofChannels, type FeatureMap, type GroupMoments } from './statistics.ts';

/** What every layer of one call works with. */
export interface BandsAt {
  readonly programs: BandPrograms;
  readonly engine?: Engine | undefined;
  /** Added to variances. */
  readonly epsilon: number;
  /** Of one band of the picture at any size. */
  readonly pixels: number;
  /** Products of queries with keys that are held at once. */
  readonly scores: number;
  /** Called before each band: may throw. */
  readonly check: () => void;
}

/** Rows from `from` up to `to`. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

/** Bands of nearly equal size. */
function* bandsOf(height: number, most: number): Generator<Rows> {
  const count = Math.ceil(height / Math.max(1, most));
  const size = Math.ceil(height / count);
  for (let from = 0; from < height; from += size) yield { from, to: Math.min(from + size, height) };
}

/** Which ends of a picture rows touch. */
const endsOf = ({ from, to }: Rows, height: number): Ends => {
  if (from === 0) return to === height ? 'both' : 'top';
  return to === height ? 'bottom' : 'none';
};

/** With so many rows more on each side, as far as the picture goes. */
const widened = ({ from, to }: Rows, by: number, height: number): Rows => ({ from: Math.max(0, from - by), to: Math.min(height, to + by) });

const rowsOf = (map: Planes, { from, to }: Rows): Tensor => cutOut(map, { top: from, left: 0, height: to - from, width: map.width });

const freed = async <T>(tensors: readonly Tensor[], made: Promise<T>): Promise<T> => {
  try {
    return await made;
  } finally {
    dispose(...tensors);
  }
};

function normOf({ moments, channels }: Pick<FeatureMap, 'moments' | 'channels'>, epsilon: number): NormTensors {
  const { means, inverseDeviations } = ofChannels(moments, { channels, epsilon });
  const shape = [1, channels, 1, 1];
  return { means: tensor(means, { shape }), inverseDeviations: tensor(inverseDeviations, { shape }) };
}

async function momentsOf({ means, squares }: Omit<MeasuredRows, 'rows'>, count: number, { engine }: BandsAt): Promise<GroupMoments> {
  const options = engine === undefined ? {} : { engine };
  const read = async (values: Tensor) => Float64Array.from((await data(values, options)) as Float32Array);
  const moments = { count, means: await read(means), squares: await read(squares) };
  dispose(means, squares);
  return moments;
}

/** The size of what is made; `most` rows at a time, and `times` as many rows as the bands go over. */
interface Gathering {
  readonly height: number;
  readonly width: number;
  readonly most?: number;
  readonly times?: 1 | 2;
}

/** A feature map made of bands, each of which is measured: moments of the whole come of the parts. */
async function gathered(
  { height, width, most = Infinity, times = 1 }: Gathering,
  at: BandsAt,
  make: (rows: Rows) => Promise<MeasuredRows>,
): Promise<FeatureMap> {
  let whole: Planes | undefined;
  let moments: GroupMoments | undefined;
  for (const rows of bandsOf(height / times, Math.min(Math.floor(at.pixels / (width * times)), most))) {
    at.check();
    const made = await make(rows);
    const [channels, groups] = [made.rows.shape[1]!, made.means.size];
    const target = { from: rows.from * times, to: rows.to * times };
    whole ??= emptyPlanes({ channels, height, width });
    moments = merged(moments, await momentsOf(made, (channels / groups) * (target.to - target.from) * width, at));
    await put(whole, { rows: made.rows, at: target }, at);
  }
  return { ...whole!, moments: moments! };
}

/** Write rows of a picture, and free them. */
async function put(whole: Planes, made: { readonly rows: Tensor; readonly at: Rows }, { engine }: BandsAt): Promise<void> {
  const { rows } = made;
  const { from, to } = made.at;
  const values = (await data(rows, engine === undefined ? {} : { engine })) as Float32Array<ArrayBuffer>;
  const part = { channels: whole.channels, height: to - from, width: whole.width, data: values };
  putInto(whole, part, { top: from, left: 0, height: to - from, width: whole.width });
  dispose(rows);
}

/** The first convolution. */
export const beginInBands = (params: ConvParams, x: Planes, at: BandsAt): Promise<FeatureMap> =>
  gathered(x, at, (rows) => {
    const band = rowsOf(x, widened(rows, 1, x.height));
    return freed([band], at.programs.begin(params, band, endsOf(rows, x.height)));
  });

/** A residual block in two passes: moments for the second norm, then the block. The first convolution is computed twice, and never held. */
export async function resnetInBands(params: ResnetBlockParams, x: FeatureMap, at: BandsAt): Promise<FeatureMap> {
  const { height, width } = x;
  const norm1 = normOf(x, at.epsilon);
  const channels = params.conv1.weight.shape[0]!;
  let moments: GroupMoments | undefined;
  for (const rows of bandsOf(height, Math.floor(at.pixels / width))) {
    at.check();
    const band = rowsOf(x, widened(rows, 1, height));
    const made = await freed([band], at.programs.resnetMoments(params, band, { norm: norm1, ends: endsOf(rows, height) }));
    moments = merged(moments, await momentsOf(made, (channels / made.means.size) * (rows.to - rows.from) * width, at));
  }
  const norm2 = normOf({ moments: moments!, channels }, at.epsilon);
  return gathered(x, at, (rows) => {
    const inner = widened(rows, 1, height);
    const [wide, same] = [rowsOf(x, widened(rows, 2, height)), rowsOf(x, rows)];
    const ends = { ends1: endsOf(inner, height), ends2: endsOf(rows, height) };
    return freed([wide, same], at.programs.resnet(params, { x: wide, same }, { norm1, norm2, ...ends }));
  });
}

/** Attention among all pixels, so many rows of queries at a time that their scores fit. */
export async function attentionInBands(params: PixelAttentionParams, x: FeatureMap, at: BandsAt): Promise<FeatureMap> {
  const norm = normOf(x, at.epsilon);
  const all = rowsOf(x, { from: 0, to: x.height });
  at.check();
  const { k, v } = await freed([all], at.programs.keysAndValues(params, all, norm));
  const most = Math.floor(at.scores / (x.height * x.width * x.width));
  const made = gathered({ height: x.height, width: x.width, most }, at, (rows) => {
    const band = rowsOf(x, rows);
    return freed([band], at.programs.attend(params, band, { norm, k, v }));
  });
  return freed([k, v], made);
}

/** Half the sides; an odd one loses its last row or column. */
export const downInBands = (params: ResampleParams, x: FeatureMap, at: BandsAt): Promise<FeatureMap> =>
  gathered({ height: Math.floor(x.height / 2), width: Math.floor(x.width / 2) }, at, ({ from, to }) => {
    const last = 2 * to + 1;
    const band = rowsOf(x, { from: 2 * from, to: Math.min(last, x.height) });
    return freed([band], at.programs.down(params, band, last > x.height ? 'bottom' : 'none'));
  });

/** Double the sides. */
export const upInBands = (params: ResampleParams, x: FeatureMap, at: BandsAt): Promise<FeatureMap> =>
  gathered({ height: 2 * x.height, width: 2 * x.width, times: 2 }, at, (rows) => {
    const band = rowsOf(x, widened(rows, 1, x.height));
    return freed([band], at.programs.up(params, band, endsOf(rows, x.height)));
  });

/** The last norm and convolution. */
export async function headInBands(params: HeadParams, x: FeatureMap, at: BandsAt): Promise<Planes> {
  const norm = normOf(x, at.epsilon);
  const whole = emptyPlanes({ channels: params.conv_out.weight.shape[0]!, height: x.height, width: x.width });
  for (const rows of bandsOf(x.height, Math.floor(at.pixels / x.width))) {
    at.check();
    const band = rowsOf(x, widened(rows, 1, x.height));
    const made = await freed([band], at.programs.head(params, band, { norm, ends: endsOf(rows, x.height) }));
    await put(whole, { rows: made, at: rows }, at);
  }
  return whole;
}
