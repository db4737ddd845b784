import type { Autoencoder } from '@langevin/core';
import { shapesOnly } from '@langevin/nn';
import {
  checkChoice,
  checkNumber,
  compositeNames,
  itemSize,
  mapTensors,
  readOptions,
  shownValue,
  sizeOf,
  tensorsOf,
  traceGraph,
  UserError,
  type Graph,
  type Tensor,
  type ValueId,
} from '@langevin/tensor';

export interface MemoryQuestion {
  readonly pass: 'encode' | 'decode';
  /** Of what is encoded or decoded. */
  readonly shape: readonly number[];
}

/** What one pass of an autoencoder at once would hold, in bytes. */
export interface MemoryEstimate extends MemoryQuestion {
  /** All parameters that the pass uses, in float32. */
  readonly weights: number;
  /** The most that is alive of what is computed, if nothing is written over in place or fused. */
  readonly activations: number;
  /** The largest single tensor: a device may refuse one before its memory is full. */
  readonly largest: number;
  /** Of `activations`, what attention holds of products of queries with keys where no kernel avoids them. */
  readonly scores: number;
}

const WHERE = 'latent-ae/memory';

/**
 * What encoding or decoding at once would hold, from the graph of the pass, which is traced and not run. An engine that fuses layers holds
 * less, one that unrolls convolutions more.
 *
 * @throws UserError when the shape does not fit
 * @example
 * const vae = autoencoderKl({ blockOutChannels: [32] });
 * const estimate = estimateMemory(vae, { pass: 'decode', shape: [1, 4, 8, 8] });
 * [estimate.activations >= 4 * 32 * 64, estimate.scores]; // => [true, 16384]
 */
export function estimateMemory<Params>(autoencoder: Autoencoder<Params>, question: MemoryQuestion): MemoryEstimate {
  const { pass, shape } = readOptions(WHERE, question, ['pass', 'shape']);
  checkChoice(WHERE, { pass }, ['encode', 'decode']);
  checkShapeOf(shape);
  const template = autoencoder.init(shapesOnly);
  const weights = tensorsOf(template);
  const graph = traceGraph(
    (x, ...given) => {
      let next = 0;
      const params = mapTensors(template, () => given[next++]!);
      return pass === 'encode' ? momentsOrMode(autoencoder, params, x!) : autoencoder.decode(params, x!);
    },
    [{ shape, dtype: 'float32' }, ...weights],
    { composites: new Set(compositeNames) },
  );
  return Object.freeze({ pass, shape, ...heldBy(graph) });
}

function checkShapeOf(shape: unknown): void {
  if (!Array.isArray(shape) || shape.length < 3)
    throw new UserError(`[${WHERE}] shape is not of a batch: shape=${shownValue(shape)}. Give [N, C, H, W].`);
  shape.forEach((side: unknown, i) => {
    checkNumber(WHERE, { [`shape[${i}]`]: side }, { kind: 'integer', atLeast: 1, atMost: 2 ** 30 });
  });
}

function momentsOrMode<Params>({ encode }: Autoencoder<Params>, params: Params, x: Tensor): Tensor {
  const { moments, mode } = encode(params, x);
  return moments ?? mode;
}

function heldBy({ values, inputs, constants, nodes, outputs }: Graph): Omit<MemoryEstimate, keyof MemoryQuestion> {
  const bytesOf = (id: ValueId): number => sizeOf(values[id]!.shape) * itemSize(values[id]!.dtype);
  // A reshaped tensor is the same memory.
  const same = new Map<ValueId, ValueId>();
  const rootOf = (id: ValueId): ValueId => same.get(id) ?? id;
  for (const node of nodes) if (node.op === 'reshape') same.set(node.outputs[0]!, rootOf(node.inputs[0]!));
  const lastUse = new Map<ValueId, number>();
  nodes.forEach((node, i) => {
    for (const id of node.inputs) lastUse.set(rootOf(id), i);
  });
  for (const id of outputs) lastUse.set(rootOf(id), nodes.length);

  const [first, ...parameters] = inputs;
  const fixed = new Set<ValueId>([...parameters, ...constants.map(({ value }) => value)]);
  let [alive, activations, largest, scores] = [bytesOf(first!), bytesOf(first!), bytesOf(first!), 0];
  const freeAfter = (i: number, ids: readonly ValueId[]): void => {
    for (const root of new Set(ids.map(rootOf))) if (!fixed.has(root) && lastUse.get(root) === i) alive -= bytesOf(root);
  };
  nodes.forEach((node, i) => {
    const made = node.op === 'reshape' ? [] : node.outputs;
    for (const id of made) {
      alive += bytesOf(id);
      largest = Math.max(largest, bytesOf(id));
    }
    const ofScores = node.op === 'attention' ? scoresOf(values[node.inputs[0]!]!.shape, values[node.inputs[1]!]!.shape) : 0;
    scores = Math.max(scores, ofScores);
    largest = Math.max(largest, ofScores);
    activations = Math.max(activations, alive + ofScores);
    freeAfter(i, node.inputs);
    for (const id of made) if (!lastUse.has(id)) alive -= bytesOf(id);
  });
  return {
    weights: parameters.reduce((total, id) => total + (lastUse.has(rootOf(id)) ? bytesOf(id) : 0), 0),
    activations,
    largest,
    scores,
  };
}

/** Queries [N, heads, L, D] with keys [N, heads, S, D], in float32. */
const scoresOf = (queries: readonly number[], keys: readonly number[]): number => 4 * sizeOf(queries.slice(0, 3)) * keys[2]!;

/**
 * One line to print.
 *
 * @example
 * const vae = autoencoderKl({ blockOutChannels: [32] });
 * describeMemory(estimateMemory(vae, { pass: 'decode', shape: [1, 4, 64, 64] })).startsWith('decode [1, 4, 64, 64] at once: '); // => true
 */
export function describeMemory({ pass, shape, weights, activations, largest, scores }: MemoryEstimate): string {
  const parts = [
    `weights ${inWords(weights)}`,
    `activations ${inWords(activations)}`,
    `largest tensor ${inWords(largest)}`,
    ...(scores > 0 ? [`scores of attention ${inWords(scores)}`] : []),
  ];
  return `${pass} [${shape.join(', ')}] at once: ${parts.join(', ')}`;
}

function inWords(bytes: number): string {
  const [value, unit] = bytes >= 2 ** 30 ? [bytes / 2 ** 30, 'GiB'] : [bytes / 2 ** 20, 'MiB'];
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)} ${unit}`;
}

/** The smallest tile that is proposed, in cells of the latent. */
const SMALLEST = 8;

/**
 * The tile, in cells of the latent, whose activations fit into so many bytes: all of the picture, or half of it as often as needed.
 *
 * @returns height and width for {@link decodeInTiles}, and the estimate of one tile to print
 * @throws UserError when the smallest tile does not fit
 */
export function tileWithin<Params>(
  autoencoder: Autoencoder<Params>,
  question: MemoryQuestion & { readonly bytes: number },
): { readonly tile: readonly [number, number]; readonly estimate: MemoryEstimate } {
  const { pass, shape, bytes } = readOptions(WHERE, question, ['pass', 'shape', 'bytes']);
  checkNumber(WHERE, { bytes }, { above: 0 });
  checkShapeOf(shape);
  if (shape.length !== 4) throw new UserError(`[${WHERE}] tiles are of pictures: shape=[${shape.join(', ')}]. Give [N, C, H, W].`);
  const { channels, inputs, factor } = autoencoder.info;
  const [h, w] = (pass === 'encode' ? autoencoder.latentShape(shape) : shape).slice(2) as [number, number];
  for (let halvings = 0; ; halvings++) {
    const tile = [h, w].map((side) => Math.min(side, Math.max(SMALLEST, Math.ceil(side / 2 ** halvings)))) as [number, number];
    const sides = pass === 'encode' ? tile.map((side, i) => side * factor[i]!) : tile;
    const estimate = estimateMemory(autoencoder, { pass, shape: [1, pass === 'encode' ? inputs : channels, ...sides] });
    if (estimate.activations <= bytes) return { tile, estimate };
    if (tile.every((side) => side <= SMALLEST))
      throw new UserError(
        `[${WHERE}] smallest tile does not fit: bytes=${bytes}, needed=${estimate.activations} for [${tile.join(', ')}]. Allow more.`,
      );
  }
}
