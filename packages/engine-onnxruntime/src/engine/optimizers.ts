/**
 * Rewrites of ONNX Runtime's own graph optimiser that are switched off, since they change what a right graph means or refuse it. What
 * they did for speed our own rules do (`fusion/`); `npm run evidence -- programs` looks for more of their kind at every level of it.
 */
export const UNSOUND_REWRITES = {
  /** Moves a border of zeros into the padding of MaxPool, which counts as -infinity; what is wider than the window is refused. */
  Pad_Fusion: 'onnxruntime 1.30: maxPool(pad(x, 0)) of negative numbers gives them, not 0',
  /** Removes a scaled operand that another product reads still: "Node input is not a graph input, initializer, or output". */
  MatMulScaleFusion: 'onnxruntime 1.30: a = 3x, [c a^T, (a / 2) k^T] is refused',
  /** Ends the process where a transposed operand of a product with a bias is a result, too. Ours is `fuseTransposedProduct`. */
  GemmTransposeFusion: 'onnxruntime 1.30: b = transpose(y), [transpose(x) b + bias, b] is a crash',
} as const;

/**
 * Rewrites that lay out weights anew when a session is made. Of weights of gigabytes they take seconds, which dozens of runs do not
 * win back; `npm run bench -- pipelines` has what is left of the start of Stable Diffusion 1.5.
 */
export const COSTLY_REWRITES = ['NchwcTransformer', 'TransposeOptimizer'] as const;
/** Bytes of constants from which on these are switched off. */
const COSTLY_BYTES = 2 ** 29;

const KEY = 'disable_specified_optimizers';

type Config = Readonly<Record<string, string>>;

/**
 * The session keys that begin with `optimization.`: ours, with what the application switches off beside them.
 *
 * @param constantBytes of all constants of the graph
 */
export function optimizationConfig(given: Config = {}, constantBytes = 0): Config {
  const more = (given[KEY] ?? '').split(';').filter((name) => name !== '');
  const costly = constantBytes >= COSTLY_BYTES ? COSTLY_REWRITES : [];
  return { ...given, [KEY]: [...new Set([...Object.keys(UNSOUND_REWRITES), ...costly, ...more])].join(';') };
}
