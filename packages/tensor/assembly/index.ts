import { MOST, radii, rotate } from './box-muller';
import { philox } from './philox';

/** Groups of four counters that go through all steps while they are in the nearest cache. */
const CHUNK: i32 = MOST >> 3;
/** Counters that one call takes at most. */
const CAPACITY: i32 = 4096;

const EVEN_WORDS = memory.data(CHUNK * 32, 16);
const ODD_WORDS = memory.data(CHUNK * 32, 16);
const RADII = memory.data(CHUNK * 32, 16);

/** Where normals are left: four for each counter. */
export const NORMALS = memory.data(CAPACITY * 16, 16);

/**
 * The float32 normals of the counters (low, high, upper0, upper1), (low + 1, ...), ...: those of src/random/normal-pairs.ts to the last
 * bit, as all operations are those of float32, in the same order. What comes after counter 2^32 - 1 is of no use.
 *
 * @param count 1..4096
 */
export function normals(count: i32, low: u32, high: u32, upper0: u32, upper1: u32, key0: u32, key1: u32): void {
  // Philox takes groups by twos.
  const groups = ((count + 7) >> 3) << 1;
  for (let done = 0; done < groups; done += CHUNK) {
    const some = min(CHUNK, groups - done);
    philox(EVEN_WORDS, ODD_WORDS, some, low + 4 * done, high, upper0, upper1, key0, key1);
    radii(EVEN_WORDS, RADII, some << 3);
    rotate(ODD_WORDS, RADII, NORMALS + ((<usize>done) << 6), some << 3);
  }
}
