import { UserError } from '@langevin/tensor';
import type { SplatCloud, SplatMetadata } from './cloud.ts';
import { allocateCloud, ARRAYS, describeInvalidRow, firstInvalidRow, isSound, rowLength } from './cloud.ts';
import type { ReadRequest } from './options.ts';

/** The largest opacity logit made of an infinite one: in float32, sigmoid(16) is the last value below 1 but one. */
export const LOGIT_LIMIT = 16;

/** Logarithm of the smallest normal float32: what a scale of 0, as flat Gaussians have, becomes. */
export const MIN_LOG_SCALE = Math.log(2 ** -126);

/** A file has Gaussians that are no numbers. A program whose users do not write `invalid: 'drop'` says in its own words what to do. */
export class InvalidGaussiansError extends UserError {
  /** What is wrong, without advice. */
  readonly found: string;

  constructor(found: string) {
    super(`${found} Save it again, or read it with invalid: 'drop'.`);
    this.found = found;
  }
}

/**
 * What follows every reader. Infinite opacity logits and scales of 0 are meant and become the nearest finite values; other numbers that are
 * not finite, and quaternions without direction, are refused or dropped as asked.
 */
export function finishCloud(cloud: SplatCloud, request: ReadRequest, metadata: SplatMetadata): SplatCloud {
  clampMeant(cloud);
  if (isSound(cloud)) return { ...cloud, metadata };
  const first = firstInvalidRow(cloud, 0);
  const bad = invalidRows(cloud, first);
  if (request.invalid === 'refuse') {
    throw new InvalidGaussiansError(
      `[io/splats] ${request.source.label} has invalid Gaussians: ${bad.length} of ${cloud.count}, the first one: `
        + `${describeInvalidRow(cloud, first)}.`,
    );
  }
  return { ...withoutRows(cloud, bad, request.source.label), metadata: { ...metadata, dropped: bad.length } };
}

function clampMeant({ opacityLogits, logScales }: SplatCloud): void {
  for (let n = 0; n < opacityLogits.length; n++) {
    const logit = opacityLogits[n]!;
    if (logit === Infinity) opacityLogits[n] = LOGIT_LIMIT;
    else if (logit === -Infinity) opacityLogits[n] = -LOGIT_LIMIT;
  }
  for (let i = 0; i < logScales.length; i++) if (logScales[i] === -Infinity) logScales[i] = MIN_LOG_SCALE;
}

function invalidRows(cloud: SplatCloud, first: number): number[] {
  const rows: number[] = [];
  for (let row = first; row >= 0; row = firstInvalidRow(cloud, row + 1)) rows.push(row);
  return rows;
}

/** A copy without some rows, given in ascending order. */
function withoutRows(cloud: SplatCloud, rows: readonly number[], label: string): SplatCloud {
  const kept = allocateCloud(label, cloud.count - rows.length, cloud.degree);
  for (const name of ARRAYS) {
    const length = rowLength(name, cloud.degree);
    let to = 0;
    let from = 0;
    for (const row of [...rows, cloud.count]) {
      kept[name].set(cloud[name].subarray(from * length, row * length), to * length);
      to += row - from;
      from = row + 1;
    }
  }
  return kept;
}
