import type { Image } from '@langevin/io';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkGiven, checkImages, checkRun } from './given.ts';
import type { FeatureExtractor, FeatureRunOptions } from './extractor.ts';
import { featureSet, type FeatureSet } from './feature-set.ts';

export interface ClipFeaturesOptions extends FeatureRunOptions {
  /** Frames that are looked at of each clip, >= 2; a shorter clip is refused. */
  readonly frames: number;
  /** Every so many-th frame, from the first. @default 1 */
  readonly stride?: number;
}

/**
 * Features of clips from those of their frames: the mean over the frames (what is seen), and the root mean square of the change from each
 * looked-at frame to the next (how much it moves), side by side. A distance between them tells clips that stand still, flicker or show
 * other things from clips of the data; it does not see the order of events. It is no FVD, whose network sees frames together.
 *
 * Number of frames and stride are in `info.input`, as distances under other ones are not comparable.
 *
 * @param clips frames of each
 * @returns [clips, 2 x width of the extractor]
 * @throws UserError for no clips, or one that is too short: it is named
 */
export async function clipFeatures(
  extractor: FeatureExtractor,
  clips: readonly (readonly Image[])[],
  given: ClipFeaturesOptions,
): Promise<FeatureSet> {
  checkGiven('metrics/clips', 'an object', { extractor });
  checkGiven('metrics/clips', 'a function', { 'extractor.features': extractor.features });
  checkGiven('metrics/clips', 'a list', { clips });
  for (const [i, clip] of clips.entries()) checkImages('metrics/clips', `clips[${i}]`, clip);
  const { frames, stride = 1, ...options } = readOptions('metrics/clips', given, ['frames', 'stride', 'signal', 'progress']);
  checkRun('metrics/clips', options);
  checkNumber('metrics/clips', { frames }, { atLeast: 2, atMost: 100_000, kind: 'integer' });
  checkNumber('metrics/clips', { stride }, { atLeast: 1, atMost: 100_000, kind: 'integer' });
  if (clips.length === 0) throw new UserError('[metrics/clips] no clip is given: clips=0. Give at least one.');
  const needed = (frames - 1) * stride + 1;
  const short = clips.findIndex((clip) => clip.length < needed);
  if (short >= 0)
    throw new UserError(
      `[metrics/clips] clip is too short: clip=${short}, frames=${clips[short]!.length}, needed=${needed}. Take fewer frames or a smaller `
        + 'stride, for samples and data alike.',
    );
  const looked = clips.flatMap((clip) => Array.from({ length: frames }, (_, f) => clip[f * stride]!));
  const { rows, width, info } = await extractor.features(looked, options);
  const result = new Float64Array(clips.length * 2 * width);
  for (let i = 0; i < clips.length; i += 1) {
    for (let j = 0; j < width; j += 1) {
      const at = (f: number): number => rows[(i * frames + f) * width + j]!;
      let [sum, change] = [at(0), 0];
      for (let f = 1; f < frames; f += 1) {
        sum += at(f);
        change += (at(f) - at(f - 1)) ** 2;
      }
      result[i * 2 * width + j] = sum / frames;
      result[i * 2 * width + width + j] = Math.sqrt(change / (frames - 1));
    }
  }
  const layer = `${info.layer}, mean and change over frames`;
  return featureSet({ ...info, layer, width: 2 * width, input: `${info.input}, ${frames} frames, stride ${stride}` }, result);
}
