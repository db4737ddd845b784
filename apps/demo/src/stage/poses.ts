import type { Pose } from '../files/asset.ts';
import type { AssetWorker } from '../files/asset.worker.ts';
import type { Remote } from '../rpc.ts';
import type { Subject } from './painter.ts';

/** Moments of a motion that are told apart while it plays. */
const MOMENTS = 240;
/** Memory for moments that were worked out once. */
const CACHE_BYTES = 192 * 1024 * 1024;

/** Asks a worker where the Gaussians are: one moment at a time, and of those that were wanted meanwhile the last; keeps what it learnt. */
export function createPoses(
  worker: Remote<AssetWorker>,
  { slot, count }: Subject,
  apply: (pose: Pose) => void,
): { readonly want: (time: number) => void } {
  const known = new Map<number, Pose>();
  const room = Math.floor(CACHE_BYTES / Math.max(1, 40 * count));
  let wanted: number | undefined;
  let asked = false;
  const next = async (): Promise<void> => {
    if (asked || wanted === undefined) return;
    const moment = wanted;
    wanted = undefined;
    const there = known.get(moment);
    if (there !== undefined) return apply(there);
    asked = true;
    try {
      const pose = await worker.pose({ slot, time: moment / MOMENTS });
      if (known.size < room) known.set(moment, pose);
      apply(pose);
    } finally {
      asked = false;
    }
    await next();
  };
  return {
    want: (time) => {
      wanted = Math.round(time * MOMENTS);
      void next();
    },
  };
}
