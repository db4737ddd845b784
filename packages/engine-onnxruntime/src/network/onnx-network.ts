import { UnsupportedError, UserError } from '@langevin/tensor';
import type { Device, EngineOptions } from '../engine/options.ts';
import type { Ort, OrtSession, OrtValueMetadata } from '../runtime/ort.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** An input or output of a network that came as ONNX. */
export interface OnnxNetworkValue {
  readonly name: string;
  readonly type: string;
  /** A number, or the name of a size that may be any; undefined when the model leaves the form open. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** Numbers with their shape. */
export interface OnnxNetworkArray {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A network from an ONNX file, which somebody else trained: it computes, and has no gradient. */
export interface OnnxNetwork {
  readonly input: OnnxNetworkValue;
  readonly outputs: readonly OnnxNetworkValue[];
  /** SHA-256 of the file, in hexadecimal. */
  readonly hash: string;
  /**
   * One output for a batch.
   *
   * @param output its name. @default the only one
   * @throws UserError when the batch does not fit the input, or there is no such output; UnsupportedError when the runtime cannot do it
   */
  readonly run: (batch: OnnxNetworkArray, output?: string) => Promise<OnnxNetworkArray>;
  /** Gives back the memory of the network. */
  readonly dispose: () => Promise<void>;
}

export type OnnxNetworkOptions = Pick<EngineOptions, 'device' | 'threads' | 'wasmPaths'>;

/** A protobuf message has at most 2 GiB. */
export const MOST_BYTES = 2 ** 31 - 1;
/** Numbers of a batch: 8 GiB of them. */
const MOST_NUMBERS = 2 ** 31 - 1;

/** @param what the model is, for messages: a path */
export async function openNetwork(
  runtime: Runtime,
  { bytes, what, options }: { readonly bytes: Uint8Array; readonly what: string; readonly options: OnnxNetworkOptions },
): Promise<OnnxNetwork> {
  if (!(bytes instanceof Uint8Array) || bytes.byteLength < 1 || bytes.byteLength > MOST_BYTES)
    throw new UserError(`[engine-onnxruntime/network] not the bytes of a model: ${what}, bytes=${bytes?.byteLength}. Give an ONNX file.`);
  const device: Device = options.device ?? (await runtime.defaultDevice(options));
  const ort = await runtime.load(device, options);
  const session = await createSession(ort, { bytes, what, settings: runtime.sessionOptions(device, options.threads) });
  try {
    const input = onlyInput(session, what);
    const outputs = Object.freeze((session.outputMetadata ?? []).map(valueOf));
    return Object.freeze<OnnxNetwork>({
      input,
      outputs,
      hash: await sha256(bytes),
      run: async (batch, output) => {
        checkBatch(batch, { input, what });
        return runOnce({ ort, session, what }, { batch, input: input.name, output: outputNamed(outputs, output, what) });
      },
      dispose: () => session.release(),
    });
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(
  ort: Ort,
  { bytes, what, settings }: { readonly bytes: Uint8Array; readonly what: string; readonly settings: Readonly<Record<string, unknown>> },
): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(bytes, settings);
  } catch (cause) {
    throw new UserError(
      `[engine-onnxruntime/network] model cannot be opened: ${what}, ${reason(cause)}. Give a whole ONNX file whose weights are inside.`,
      { cause },
    );
  }
}

function onlyInput({ inputMetadata = [] }: OrtSession, what: string): OnnxNetworkValue {
  const [input] = inputMetadata;
  if (inputMetadata.length !== 1 || input?.isTensor !== true || input.type !== 'float32')
    throw new UnsupportedError(
      `[engine-onnxruntime/network] model does not take one batch of float32 pictures: ${what}, inputs=`
        + `${inputMetadata.map(({ name, type = 'no tensor' }) => `${name} ${type}`).join(', ')}. Export the part that does.`,
    );
  return valueOf(input);
}

function valueOf({ name, type = 'no tensor', shape }: OrtValueMetadata): OnnxNetworkValue {
  return Object.freeze({ name, type, shape: shape && Object.freeze([...shape]) });
}

function outputNamed(outputs: readonly OnnxNetworkValue[], wanted: string | undefined, what: string): string {
  const known = outputs.map(({ name }) => name);
  if (wanted === undefined && known.length === 1) return known[0]!;
  if (wanted !== undefined && known.includes(wanted)) return wanted;
  throw new UserError(
    `[engine-onnxruntime/network] ${wanted === undefined ? 'model has several outputs' : `unknown output: output=${wanted}`}: ${what}. `
      + `Name one of ${known.join(', ')}.`,
  );
}

function checkBatch({ data, shape }: OnnxNetworkArray, { input, what }: { readonly input: OnnxNetworkValue; readonly what: string }): void {
  const size = shape.reduce((product, n) => product * n, 1);
  const whole = shape.every((n) => Number.isSafeInteger(n) && n >= 1);
  if (!(data instanceof Float32Array) || !whole || size > MOST_NUMBERS || data.length !== size)
    throw new UserError(
      `[engine-onnxruntime/network] numbers do not fill the shape: ${what}, length=${data?.length}, shape=[${shape.join(', ')}]. Pass a `
        + 'Float32Array.',
    );
  const wanted = input.shape;
  const fits =
    wanted === undefined || (wanted.length === shape.length && wanted.every((n, i) => typeof n === 'string' || n < 1 || n === shape[i]));
  if (!fits)
    throw new UserError(
      `[engine-onnxruntime/network] batch does not fit the input of the model: ${what}, shape=[${shape.join(', ')}], ${input.name}=`
        + `[${wanted.join(', ')}]. Change size, channels or layout.`,
    );
}

async function runOnce(
  { ort, session, what }: { readonly ort: Ort; readonly session: OrtSession; readonly what: string },
  { batch, input, output }: { readonly batch: OnnxNetworkArray; readonly input: string; readonly output: string },
): Promise<OnnxNetworkArray> {
  const fed = new ort.Tensor('float32', batch.data, batch.shape);
  let result;
  try {
    result = (await session.run({ [input]: fed }, { [output]: null }))[output];
  } catch (cause) {
    throw new UnsupportedError(`[engine-onnxruntime/network] model cannot be run: ${what}, ${reason(cause)}. Look at the model.`, {
      cause,
    });
  }
  if (result === undefined || result.type !== 'float32')
    throw new UnsupportedError(
      `[engine-onnxruntime/network] output is not float32: ${what}, ${output}=${result?.type ?? 'nothing'}. Choose another output.`,
    );
  const data = Float32Array.from(result.data as Float32Array);
  const shape = Object.freeze([...result.dims]);
  result.dispose();
  return Object.freeze({ data, shape });
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .split('\n')[0]!
    .slice(0, 300)
    .replace(/[\s.]+$/u, '');
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
