import {
  conv,
  embedding,
  groupNorm,
  linear,
  resnetBlock,
  type ConvParams,
  type EmbeddingParams,
  type LinearParams,
  type Mode,
  type NormParams,
  type ResnetBlockParams,
} from '@langevin/nn';
import {
  div,
  exp,
  expandDims,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  relu,
  sqrt,
  square,
  sum,
  tensor,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { checkArchitecture, checkSchema, headSchema, type JudgeArchitecture, type JudgeHead } from './architecture.ts';

interface StageParams {
  /** Halves height and width; of the first stage, it takes the picture. */
  readonly down: ConvParams;
  readonly block: ResnetBlockParams;
}

/** Weights of a judge. */
export interface JudgeParams {
  readonly stages: readonly StageParams[];
  readonly norm: NormParams;
  /** From features to logits of classes, or to the space that pictures and captions share. */
  readonly head: LinearParams;
  /** Of judges of captions only. */
  readonly text?: { readonly words: EmbeddingParams; readonly hidden: LinearParams; readonly out: LinearParams; readonly logScale: Tensor };
}

/** A caption as rows of words, [N, length] int32, and how much each counts, [N, length] float32. */
export interface Words {
  readonly rows: Tensor;
  readonly counts: Tensor;
}

/** The functions of a judge over tensors. */
export interface JudgeNetwork {
  readonly init: (generator: Generator) => JudgeParams;
  /** [N, channels, side, side] in [-1, 1] to [N, width]. */
  readonly features: (params: JudgeParams, pictures: Tensor, mode?: Mode) => Tensor;
  /** What each stage makes of pictures [N, channels, H, W] in [-1, 1]: [N, width, H / 2, W / 2] of the first, halved by each. */
  readonly maps: (params: JudgeParams, pictures: Tensor, mode?: Mode) => readonly Tensor[];
  /** Features to logits [N, classes], or to unit vectors [N, width of the embedding]. */
  readonly answer: (params: JudgeParams, features: Tensor) => Tensor;
  /** Unit vectors [N, width of the embedding] of captions. */
  readonly captions: (params: JudgeParams, words: Words) => Tensor;
}

/** Pictures per step of the first stage: its convolution works on overlapping squares of 4 x 4 pixels. */
const STEM = { kernel: 4, stride: 2, padding: 1 } as const;

/**
 * A plain convolutional network: strided convolutions, residual blocks (He et al. 2016) with group norms and ReLU, a mean over the picture.
 * It has no skip connections over scales, no attention and no noise level, so that it shares no design with the networks that it judges.
 *
 * @throws UserError when the architecture does not fit together
 */
export function judgeNetwork(architecture: JudgeArchitecture, head: JudgeHead): JudgeNetwork {
  checkArchitecture(architecture);
  checkSchema(headSchema, { head });
  const { channels, widths, groups } = architecture;
  const last = widths.at(-1)!;
  const stages = widths.map((width, i) => ({
    down: conv({
      inputs: i === 0 ? channels : widths[i - 1]!,
      outputs: width,
      ...(i === 0 ? STEM : { kernel: 3, stride: 2, padding: 1 }),
    }),
    block: resnetBlock({ inputs: width, embedding: null, groups, activation: 'relu', epsilon: 1e-5, lastInit: 'zero' }),
  }));
  const norm = groupNorm({ channels: last, groups });
  const out = linear({ inputs: last, outputs: head.kind === 'classes' ? head.classes.length : head.width });
  const text =
    head.kind === 'classes'
      ? undefined
      : {
          words: embedding({ count: head.words.length + 1, size: head.width }),
          hidden: linear({ inputs: head.width, outputs: 2 * head.width }),
          out: linear({ inputs: 2 * head.width, outputs: head.width }),
        };
  const maps: JudgeNetwork['maps'] = (params, pictures, mode) => {
    const made: Tensor[] = [];
    stages.forEach(({ down, block }, i) => {
      const own = params.stages[i]!;
      made.push(block.apply(own.block, down.apply(own.down, made.at(-1) ?? pictures), { embedding: null, mode }));
    });
    return made;
  };
  return Object.freeze<JudgeNetwork>({
    maps,
    init: (generator) => ({
      stages: stages.map(({ down, block }) => ({ down: down.init(generator), block: block.init(generator) })),
      norm: norm.init(generator),
      head: out.init(generator),
      ...(text && {
        text: {
          words: text.words.init(generator),
          hidden: text.hidden.init(generator),
          out: text.out.init(generator),
          // Radford et al. 2021 (arXiv:2103.00020), section 2.5: the temperature begins at 0.07.
          logScale: tensor(Float32Array.of(Math.log(1 / 0.07)), { shape: [] }),
        },
      }),
    }),
    features: (params, pictures, mode) => mean(relu(norm.apply(params.norm, maps(params, pictures, mode).at(-1)!)), { axes: [2, 3] }),
    answer: (params, features) => {
      const given = out.apply(params.head, features);
      return head.kind === 'classes' ? given : unit(given);
    },
    captions: (params, { rows, counts }) => {
      const { words, hidden, out: last } = params.text!;
      const shares = div(counts, maximum(sum(counts, { axes: 1, dims: 'keep' }), 1));
      const bag = sum(mul(text!.words.apply(words, rows), expandDims(shares, 2)), { axes: 1 });
      return unit(text!.out.apply(last, relu(text!.hidden.apply(hidden, bag))));
    },
  });
}

/** Rows divided by their lengths. */
function unit(x: Tensor): Tensor {
  return div(x, sqrt(maximum(sum(square(x), { axes: 1, dims: 'keep' }), 1e-12)));
}

/** Cosines of all pictures with all captions, [N, N], times the learned scale, which stays below 100 as in CLIP. */
export function scaledCosines(params: JudgeParams, pictures: Tensor, captions: Tensor): Tensor {
  return mul(matmul(pictures, captions, { transposeB: true }), exp(minimum(params.text!.logScale, Math.log(100))));
}
