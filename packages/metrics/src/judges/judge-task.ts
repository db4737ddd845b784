import { adamW, crossEntropyLoss, oneCycleSchedule, type AdamState } from '@langevin/nn';
import { add, checkNumber, mul, tensor, torchGenerator, UserError, type Engine, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineTask,
  learnerRule,
  learnerStep,
  type Evaluation,
  type Json,
  type Learner,
  type NoBuffers,
  type Position,
  type StepPoint,
  type Task,
} from '@langevin/training';
import type { JudgeArchitecture, JudgeHead } from './architecture.ts';
import { judgeNetwork, scaledCosines, type JudgeParams } from './network.ts';
import { rowsOf } from './words.ts';

/** Pictures with what a judge learns to say of them. */
export interface JudgeBatch {
  /** [N, channels, side, side] in [-1, 1]. */
  readonly pictures: Float32Array;
  /** Of judges of classes: [N]. */
  readonly labels?: Int32Array;
  /** Of judges of captions. */
  readonly captions?: readonly string[];
  /** Where the stream stands after it. */
  readonly next: Position;
}

export interface JudgeTaskOptions {
  readonly name: string;
  readonly config: Json;
  readonly seed: number;
  readonly architecture: JudgeArchitecture;
  readonly head: JudgeHead;
  /** Of the whole run: the learning rate rises and falls once. */
  readonly steps: number;
  /** Highest learning rate. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Pictures are moved by up to so many pixels. @default 0 */
  readonly shift?: number;
  /** Half of the pictures are mirrored. @default 'none' */
  readonly mirror?: 'half' | 'none';
  /** The batch at a position of the stream `data`: a function of it alone. */
  readonly batch: (position: Position) => Promise<JudgeBatch>;
  readonly evaluate?: (params: JudgeParams, at: Pick<StepPoint, 'step' | 'random'>) => AsyncIterable<Evaluation>;
  readonly engine?: Engine;
}

/** What the training of a judge changes. */
export interface JudgeState {
  readonly judge: Learner<JudgeParams, AdamState, NoBuffers>;
}

/** What a compiled step is given. */
interface Inputs {
  readonly pictures: Tensor;
  readonly labels: Tensor;
  readonly words?: { readonly rows: Tensor; readonly counts: Tensor };
}

/**
 * Trains a judge: by the cross entropy of classes, or by finding the caption of each picture among those of the batch and the picture of
 * each caption (Radford et al. 2021, arXiv:2103.00020, figure 3).
 *
 * @throws UserError when an option is out of range; from a step, when a batch lacks what the head asks for
 */
export function judgeTask(options: JudgeTaskOptions): Task<JudgeState> {
  const { name, config, seed, architecture, head, steps, learningRate, weightDecay, shift = 0, mirror = 'none', engine } = options;
  checkNumber('metrics/judge-task', { steps }, { atLeast: 4, kind: 'integer' });
  checkNumber('metrics/judge-task', { learningRate }, { above: 0 });
  checkNumber('metrics/judge-task', { shift }, { atLeast: 0, atMost: architecture.side / 2, kind: 'integer' });
  const network = judgeNetwork(architecture, head);
  const rule = learnerRule({
    // Scales, shifts and biases have one axis, and are left alone.
    optimizer: adamW({ weightDecay, decay: (_, parameter) => parameter.rank > 1 }),
    learningRate: oneCycleSchedule({ peak: learningRate, steps }),
    clipNorm: 5,
  });
  const step = learnerStep({
    rule,
    seed,
    name,
    ...(engine && { engine }),
    loss: (params: JudgeParams, { batch, mode }: { readonly batch: Inputs; readonly mode: Parameters<typeof network.features>[2] }) => {
      const answer = network.answer(params, network.features(params, batch.pictures, mode));
      if (batch.words === undefined) return { loss: crossEntropyLoss(answer, batch.labels) };
      const cosines = (a: Tensor, b: Tensor): Tensor => crossEntropyLoss(scaledCosines(params, a, b), batch.labels);
      const captions = network.captions(params, batch.words);
      return { loss: mul(add(cosines(answer, captions), cosines(captions, answer)), 0.5) };
    },
  });
  return defineTask<JudgeState>({
    name,
    config,
    seed,
    init: () => ({ judge: rule.init(network.init(torchGenerator(seed))) }),
    step: async ({ judge }, at) => {
      const loaded = await options.batch(at.stream('data'));
      const pictures = moved(loaded.pictures, { architecture, shift, mirror, generator: at.random('augmentation') });
      const { learner, losses, gradientNorm } = await step(judge, [inputsOf({ ...loaded, pictures }, { architecture, head })], at);
      return {
        state: { judge: learner },
        losses: { loss: losses['loss']! },
        norms: { gradNorm: gradientNorm },
        measures: { learningRate: Number(rule.inputs(at.step).learningRate) },
        streams: { data: loaded.next },
      };
    },
    ...(options.evaluate && { evaluate: ({ judge }, at) => options.evaluate!(judge.params, at) }),
  });
}

function inputsOf(
  { pictures, labels, captions }: JudgeBatch,
  { architecture: { channels, side }, head }: { readonly architecture: JudgeArchitecture; readonly head: JudgeHead },
): Inputs {
  const count = pictures.length / (channels * side * side);
  const shape = [count, channels, side, side];
  const missing = head.kind === 'classes' ? labels?.length !== count : captions?.length !== count;
  if (!Number.isSafeInteger(count) || count < 1 || missing)
    throw new UserError(
      `[metrics/judge-task] a batch is not what the judge learns from: numbers=${pictures.length}, head=${head.kind}. Give `
        + `[N, ${channels}, ${side}, ${side}] and ${head.kind === 'classes' ? 'a label' : 'a caption'} for each.`,
    );
  if (head.kind === 'classes') return { pictures: tensor(pictures, { shape }), labels: tensor(labels!, { dtype: 'int32' }) };
  const { rows, counts } = rowsOf(captions!, head);
  const wide = [count, head.length];
  return {
    pictures: tensor(pictures, { shape }),
    labels: tensor(
      Int32Array.from({ length: count }, (_, i) => i),
      { dtype: 'int32' },
    ),
    words: { rows: tensor(rows, { shape: wide, dtype: 'int32' }), counts: tensor(counts, { shape: wide }) },
  };
}

/** Pictures mirrored and moved, each in its own way; edges are repeated. */
function moved(
  pictures: Float32Array,
  {
    architecture: { channels, side },
    shift,
    mirror,
    generator,
  }: {
    readonly architecture: JudgeArchitecture;
    readonly shift: number;
    readonly mirror: 'half' | 'none';
    readonly generator: Generator;
  },
): Float32Array {
  if (shift === 0 && mirror === 'none') return pictures;
  const size = channels * side * side;
  const count = pictures.length / size;
  const drawn = generator.uniform(3 * count);
  const result = new Float32Array(pictures.length);
  const within = (k: number): number => Math.min(side - 1, Math.max(0, k));
  for (let i = 0; i < count; i += 1) {
    const by = (u: number): number => Math.min(2 * shift, Math.floor(u * (2 * shift + 1))) - shift;
    const [dx, dy] = [by(drawn[3 * i]!), by(drawn[3 * i + 1]!)];
    const flipped = mirror === 'half' && drawn[3 * i + 2]! < 0.5;
    for (let c = 0; c < channels; c += 1) {
      for (let y = 0; y < side; y += 1) {
        const from = i * size + (c * side + within(y + dy)) * side;
        const to = i * size + (c * side + y) * side;
        for (let x = 0; x < side; x += 1) {
          const at = within(x + dx);
          result[to + x] = pictures[from + (flipped ? side - 1 - at : at)]!;
        }
      }
    }
  }
  return result;
}
