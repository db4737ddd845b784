import { AWAITED, JOB, KIND, NEXT, OPEN, PIECES, SCRATCH, SCRATCH_STRIDE, SERIAL, STATE, word } from './layout';
import { adamChunk } from './adam';
import { backwardTile } from './backward';
import { binRow, sortAll } from './bin-tiles';
import { forwardTile } from './forward';
import { projectChunk } from './project';
import { projectBackwardChunk } from './project-backward';
import { lossForwardBand, lossBackwardBand } from './ssim';

// Nothing here allocates, so that instances which share a memory share no stack and no heap.

/** Takes pieces of the job (tiles, chunks of Gaussians, bands of rows) until none are left. `thread` says which scratch to use. */
export function work(thread: i32): void {
  const scratch = <usize>word(SCRATCH) + <usize>thread * <usize>word(SCRATCH_STRIDE);
  const kind = load<i32>(KIND);
  const pieces = load<i32>(PIECES);
  while (true) {
    const piece = atomic.add<i32>(NEXT, 1);
    if (piece >= pieces) return;
    if (kind == 0) projectChunk(piece, scratch);
    else if (kind == 1) forwardTile(piece, scratch);
    else if (kind == 2) backwardTile(piece, scratch);
    else if (kind == 3) projectBackwardChunk(piece, scratch);
    else if (kind == 4) lossForwardBand(piece, scratch);
    else if (kind == 5) lossBackwardBand(piece, scratch);
    else if (kind == 6) sortAll();
    else if (kind == 7) binRow(piece, scratch);
    else adamChunk(piece);
  }
}

/**
 * How often a worker looks for the next job before it sleeps: jobs follow one another closely, and waking takes as long as some of them.
 */
const LOOKS: i32 = 300_000;

/**
 * The life of a worker: waits for a job after the one with number `seen`, joins it if it is still open, and returns the number of the job
 * when the worker was the last to leave one that somebody waits to hear of. Returns -1 to end.
 */
export function serve(thread: i32, seen: i32): i32 {
  while (true) {
    for (let look = 0; look < LOOKS && atomic.load<i32>(SERIAL) == seen; look++) {}
    atomic.wait<i32>(SERIAL, seen, -1);
    seen = atomic.load<i32>(SERIAL);
    if (seen < 0) break;
    let state = atomic.load<i32>(STATE);
    let joined = false;
    while ((state & OPEN) != 0) {
      const found = atomic.cmpxchg<i32>(STATE, state, state + 1);
      if (found == state) {
        joined = true;
        break;
      }
      state = found;
    }
    if (!joined) continue;
    work(thread);
    if (atomic.sub<i32>(STATE, 1) == (AWAITED | 1)) return seen;
  }
  return -1;
}

/** Address of the job's first word, for the test that compares layouts. */
export function jobAddress(): usize {
  return JOB;
}

/** First byte after what the compiler keeps in the memory. */
export function heapBase(): usize {
  return __heap_base;
}
