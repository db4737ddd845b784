import { add, attention, concat, reshape, silu, transpose, type Generator, type Tensor } from '@langevin/tensor';
import {
  conv,
  defineModule,
  doubled,
  groupNorm,
  halved,
  linear,
  scoped,
  type ConvParams,
  type Layer,
  type LinearParams,
  type Module,
  type NormParams,
  type ParamsOf,
} from '@langevin/nn';

/** Width, groups and heads of the network that the project's benchmarks time. */
const GROUPS = 8;
const HEADS = 4;

interface ResParams {
  readonly n1: NormParams;
  readonly c1: ConvParams;
  readonly l: LinearParams;
  readonly n2: NormParams;
  readonly c2: ConvParams;
  readonly sk?: ConvParams;
}

function res(inputs: number, outputs: number, embedding: number): Module<ResParams, readonly [x: Tensor, e: Tensor], Tensor> {
  const n1 = groupNorm({ groups: GROUPS, channels: inputs });
  const c1 = conv({ inputs, outputs, kernel: 3, padding: 1 });
  const l = linear({ inputs: embedding, outputs });
  const n2 = groupNorm({ groups: GROUPS, channels: outputs });
  const c2 = conv({ inputs: outputs, outputs, kernel: 3, padding: 1 });
  const sk = inputs === outputs ? undefined : conv({ inputs, outputs, kernel: 1 });
  return defineModule({
    init: (g: Generator): ResParams => ({
      n1: n1.init(g),
      c1: c1.init(g),
      l: l.init(g),
      n2: n2.init(g),
      c2: c2.init(g),
      ...(sk && { sk: sk.init(g) }),
    }),
    apply(p: ResParams, x: Tensor, e: Tensor) {
      const shift = reshape(l.apply(p.l, e), [e.shape[0]!, outputs, 1, 1]);
      const h = add(c1.apply(p.c1, silu(n1.apply(p.n1, x))), shift);
      return add(sk ? sk.apply(p.sk!, x) : x, c2.apply(p.c2, silu(n2.apply(p.n2, h))));
    },
  });
}

interface AttnParams {
  readonly n: NormParams;
  readonly q: LinearParams;
  readonly k: LinearParams;
  readonly v: LinearParams;
  readonly o: LinearParams;
}

function attn(channels: number): Layer<AttnParams> {
  const n = groupNorm({ groups: GROUPS, channels });
  const project = linear({ inputs: channels, outputs: channels });
  return defineModule({
    init: (g: Generator): AttnParams => ({ n: n.init(g), q: project.init(g), k: project.init(g), v: project.init(g), o: project.init(g) }),
    apply(p: AttnParams, x: Tensor) {
      const [batch, c, height, width] = x.shape as readonly [number, number, number, number];
      const h = transpose(reshape(n.apply(p.n, x), [batch, c, height * width]), [0, 2, 1]); // [N, L, C]
      const heads = (t: Tensor): Tensor => transpose(reshape(t, [batch, height * width, HEADS, c / HEADS]), [0, 2, 1, 3]);
      const mixed = attention({ q: heads(project.apply(p.q, h)), k: heads(project.apply(p.k, h)), v: heads(project.apply(p.v, h)) });
      const tokens = project.apply(p.o, reshape(transpose(mixed, [0, 2, 1, 3]), [batch, height * width, c]));
      return add(x, reshape(transpose(tokens, [0, 2, 1]), x.shape));
    },
  });
}

function parts(c: number) {
  const e = 4 * c;
  return {
    t1: linear({ inputs: c, outputs: e }),
    t2: linear({ inputs: e, outputs: e }),
    ci: conv({ inputs: 3, outputs: c, kernel: 3, padding: 1 }),
    r1: scoped('r1', res(c, c, e)),
    r2: scoped('r2', res(c, 2 * c, e)),
    a2: scoped('a2', attn(2 * c)),
    r3: scoped('r3', res(2 * c, 2 * c, e)),
    a3: scoped('a3', attn(2 * c)),
    m1: scoped('m1', res(2 * c, 2 * c, e)),
    ma: scoped('ma', attn(2 * c)),
    m2: scoped('m2', res(2 * c, 2 * c, e)),
    u1: scoped('u1', res(4 * c, 2 * c, e)),
    u2: scoped('u2', res(4 * c, 2 * c, e)),
    ua: scoped('ua', attn(2 * c)),
    u3: scoped('u3', res(3 * c, c, e)),
    u4: scoped('u4', res(2 * c, c, e)),
    no: groupNorm({ groups: GROUPS, channels: c }),
    co: conv({ inputs: c, outputs: 3, kernel: 3, padding: 1 }),
  };
}

/** Named as in the PyTorch model that it is timed against. */
export type ReferenceUnetParams = { readonly [Name in keyof ReturnType<typeof parts>]: ParamsOf<ReturnType<typeof parts>[Name]> };

/**
 * The U-Net that the benchmarks time against PyTorch: 3,021,699 parameters at 64 channels, for 3x32x32 images. It is no backbone to train
 * with: `features` stands for an embedding of time made elsewhere. Use {@link unet2d}.
 *
 * `apply(params, x [N, 3, H, W], features [N, channels])` gives [N, 3, H, W]; H and W are multiples of 4.
 *
 * @param options `channels` is a multiple of 8. @default 64
 */
export function referenceUnet(
  options: { readonly channels?: number } = {},
): Module<ReferenceUnetParams, readonly [x: Tensor, features: Tensor], Tensor> {
  const m = parts(options.channels ?? 64);
  return defineModule({
    init: (generator: Generator) =>
      Object.fromEntries(Object.entries(m).map(([name, part]) => [name, part.init(generator)])) as unknown as ReferenceUnetParams,
    apply(p: ReferenceUnetParams, x: Tensor, features: Tensor) {
      const e = silu(m.t2.apply(p.t2, silu(m.t1.apply(p.t1, features))));
      const s0 = m.ci.apply(p.ci, x);
      const s1 = m.r1.apply(p.r1, s0, e);
      const s2 = m.a2.apply(p.a2, m.r2.apply(p.r2, halved(s1), e));
      const s3 = m.a3.apply(p.a3, m.r3.apply(p.r3, halved(s2), e));
      let h = m.m2.apply(p.m2, m.ma.apply(p.ma, m.m1.apply(p.m1, s3, e)), e);
      h = m.u1.apply(p.u1, concat([h, s3], 1), e);
      h = m.ua.apply(p.ua, m.u2.apply(p.u2, concat([doubled(h), s2], 1), e));
      h = m.u3.apply(p.u3, concat([doubled(h), s1], 1), e);
      h = m.u4.apply(p.u4, concat([h, s0], 1), e);
      return m.co.apply(p.co, silu(m.no.apply(p.no, h)));
    },
  });
}
