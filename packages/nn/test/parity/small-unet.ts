import { attention, conv, defineModule, groupNorm, linear, mseLoss, type ParamsOf } from '@langevin/nn';
import { add, concat, expandDims, reshape, resize, silu, swapAxes, type Generator, type Tensor } from '@langevin/tensor';

/** The network of tooling/parity/unet_model.py, with its parameter names. */
const CHANNELS = 6;
const TIME = 8;

function block(inputs: number, outputs: number) {
  const parts = {
    norm1: groupNorm({ channels: inputs, groups: 2 }),
    conv1: conv({ inputs, outputs, kernel: 3, padding: 1 }),
    time: linear({ inputs: TIME, outputs }),
    norm2: groupNorm({ channels: outputs, groups: 2 }),
    conv2: conv({ inputs: outputs, outputs, kernel: 3, padding: 1 }),
    skip: conv({ inputs, outputs, kernel: 1 }),
  };
  return defineModule({
    init: (g: Generator) => ({
      norm1: parts.norm1.init(g),
      conv1: parts.conv1.init(g),
      time: parts.time.init(g),
      norm2: parts.norm2.init(g),
      conv2: parts.conv2.init(g),
      skip: parts.skip.init(g),
    }),
    apply(p, x: Tensor, t: Tensor) {
      const shift = expandDims(parts.time.apply(p.time, silu(t)), [2, 3]);
      const h = add(parts.conv1.apply(p.conv1, silu(parts.norm1.apply(p.norm1, x))), shift);
      return add(parts.skip.apply(p.skip, x), parts.conv2.apply(p.conv2, silu(parts.norm2.apply(p.norm2, h))));
    },
  });
}

function spatialAttention(channels: number) {
  const norm = groupNorm({ channels, groups: 2 });
  const attend = attention({ channels, heads: 2, bias: 'none' });
  return defineModule({
    init: (g: Generator) => ({ norm: norm.init(g), ...attend.init(g) }),
    apply({ norm: normParams, ...params }, x: Tensor) {
      const tokens = swapAxes(reshape(norm.apply(normParams, x), [x.shape[0]!, channels, -1]), 1, 2);
      return add(x, reshape(swapAxes(attend.apply(params, tokens), 1, 2), x.shape));
    },
  });
}

const parts = {
  time1: linear({ inputs: TIME, outputs: TIME }),
  time2: linear({ inputs: TIME, outputs: TIME }),
  conv_in: conv({ inputs: 3, outputs: CHANNELS, kernel: 3, padding: 1 }),
  down1: block(CHANNELS, CHANNELS),
  halve: conv({ inputs: CHANNELS, outputs: CHANNELS, kernel: 3, stride: 2, padding: 1 }),
  down2: block(CHANNELS, 2 * CHANNELS),
  attention: spatialAttention(2 * CHANNELS),
  up1: block(3 * CHANNELS, CHANNELS),
  norm_out: groupNorm({ channels: 2 * CHANNELS, groups: 2 }),
  conv_out: conv({ inputs: 2 * CHANNELS, outputs: 3, kernel: 3, padding: 1 }),
};

/** x [N, 3, 8, 8], t [N, 8] to [N, 3, 8, 8]. */
export const smallUnet = defineModule({
  init: (g: Generator) => ({
    time1: parts.time1.init(g),
    time2: parts.time2.init(g),
    conv_in: parts.conv_in.init(g),
    down1: parts.down1.init(g),
    halve: parts.halve.init(g),
    down2: parts.down2.init(g),
    attention: parts.attention.init(g),
    up1: parts.up1.init(g),
    norm_out: parts.norm_out.init(g),
    conv_out: parts.conv_out.init(g),
  }),
  apply(p, x: Tensor, time: Tensor) {
    const t = parts.time2.apply(p.time2, silu(parts.time1.apply(p.time1, time)));
    const first = parts.conv_in.apply(p.conv_in, x);
    const second = parts.down1.apply(p.down1, first, t);
    const low = parts.halve.apply(p.halve, second);
    const deep = parts.attention.apply(p.attention, parts.down2.apply(p.down2, low, t));
    const up = resize(parts.up1.apply(p.up1, concat([deep, low], 1), t), { size: [8, 8] });
    return parts.conv_out.apply(p.conv_out, silu(parts.norm_out.apply(p.norm_out, concat([up, second], 1))));
  },
});

export type SmallUnetParams = ParamsOf<typeof smallUnet>;

export const smallUnetLoss = (params: SmallUnetParams, x: Tensor, t: Tensor, y: Tensor): Tensor =>
  mseLoss(smallUnet.apply(params, x, t), y);
