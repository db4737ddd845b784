import { PROBE_MODEL } from '../onnx/probe-model.ts';
import { encodeModel } from '../onnx/proto.ts';
import type { Ort, OrtSessionOptions } from './ort.ts';

const CUDA_LIBRARIES =
  'The CUDA libraries could not be loaded: those of ONNX Runtime come with the install script of onnxruntime-node (`npm rebuild '
  + 'onnxruntime-node`, on Linux x64), and CUDA 12 and cuDNN 9 have to be on the machine.';

/** Why a device cannot run the smallest model, or undefined if it can: the way to find out whether there is an adapter. */
export async function whyUnusable(ort: Ort, options: OrtSessionOptions): Promise<string | undefined> {
  const model = encodeModel(PROBE_MODEL);
  try {
    const session = await ort.InferenceSession.create(model, options);
    await session.run({ x: new ort.Tensor('float32', new Float32Array([1]), [1]) }, { y: null });
    await session.release();
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/adapter/i.test(message)) return 'No WebGPU adapter was found: it takes a GPU with a Vulkan, Metal or Direct3D 12 driver.';
    if (/cuda/i.test(message) && /load shared library/i.test(message)) return CUDA_LIBRARIES;
    return `A first model failed there: ${firstLine(message)}.`;
  }
}

/** What the runtime says first, without its source lines and brackets. */
function firstLine(message: string): string {
  const line = message.split('\n').find((candidate) => candidate.trim() !== '') ?? 'no reason given';
  return (
    line
      .replace(/^.*\[ONNXRuntimeError\][ :\d]*/, '')
      .replace(/[\s.]+$/, '')
      .slice(0, 200) || 'its library could not be loaded'
  );
}
