// What `// => value` means when an example runs.
import { AssertionError, deepStrictEqual } from 'node:assert';

/**
 * Compares plain values: typed arrays count as arrays, frozen or class instances as what they hold.
 * Where the claim prints decimals ("0.333"), numbers are compared to as many decimals as it prints and no fewer;
 * a claim of whole numbers is exact. "Float32Array [1]" claims the kind of array, too.
 */
export function check(actual, expected, claim, line) {
  const decimals = Math.max(0, ...[...claim.matchAll(/\d\.(\d+)/gu)].map((match) => match[1].length));
  const kind = /^\w+Array(?= \[)/u.exec(claim)?.[0];
  if (kind !== undefined && actual?.constructor?.name !== kind)
    throw new Error(`line ${line} claims ${claim}\nIt is of another kind: ${actual?.constructor?.name}`);
  try {
    deepStrictEqual(plain(actual, decimals), plain(expected, decimals));
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    throw new Error(`line ${line} claims ${claim}\n${error.message}`);
  }
}

function plain(value, decimals) {
  if (typeof value === 'number') return decimals === 0 || !Number.isFinite(value) ? value : Number(value.toFixed(decimals)) + 0;
  if (ArrayBuffer.isView(value)) return Array.from(value, (item) => plain(item, decimals));
  if (Array.isArray(value)) return value.map((item) => plain(item, decimals));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, decimals)]));
  }
  return value;
}
