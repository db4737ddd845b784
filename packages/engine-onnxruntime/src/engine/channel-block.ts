import { encodeModel } from '../onnx/proto.ts';
import { onnxTypes } from '../onnx/model.ts';
import type { Ort } from '../runtime/ort.ts';

const DOMAIN = 'com.microsoft.nchwc';
/** The fewest channels that the reordering kernel takes; it rounds them up to a whole block. */
const FEWEST = 4;

/**
 * How many channels this processor's convolution kernels take at once (8 with AVX2, 16 with AVX-512), or 0 if they have no blocked
 * layout. The runtime does not say, but what it makes of a few channels does.
 */
export async function probeChannelBlock(ort: Ort): Promise<number> {
  const value = (name: string) => ({ name, type: onnxTypes.float32, shape: [1, FEWEST, 1, 1] });
  const model = encodeModel({
    irVersion: 10,
    producer: 'langevin',
    name: 'probe',
    opsets: { '': 21, [DOMAIN]: 1 },
    nodes: [{ name: 'probe', op: 'ReorderInput', domain: DOMAIN, inputs: ['x'], outputs: ['y'], attributes: {} }],
    initializers: [],
    inputs: [value('x')],
    outputs: [{ ...value('y'), shape: undefined }],
    declared: [],
  });
  try {
    const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'], logSeverityLevel: 4 });
    const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(FEWEST), [1, FEWEST, 1, 1]) }, { y: null });
    await session.release();
    return y?.dims[1] ?? 0;
  } catch {
    return 0;
  }
}
