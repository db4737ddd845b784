import {
  float8ToFloat16,
  isFloat8,
  scaledFloat8,
  type Float8,
  type GgufReader,
  type HostTensor,
  type SafetensorsReader,
} from '@langevin/io';
import type { UnreadWeight } from '@langevin/nn';
import { fromFile, sizeOf, UnsupportedError, UserError, type DType, type FileSlice, type HostArray, type Tensor } from '@langevin/tensor';
import type { StoredForm, WeightFile } from '../checkpoint/files.ts';
import type { Evidence } from '../checkpoint/evidence.ts';
import { widened } from '../widened.ts';

/** Where a tensor's bytes may be mapped from, and a check that the file is still the one that was opened. */
export interface Place {
  readonly path: string;
  readonly check: () => Promise<void>;
}

export interface LazyWeightsOptions {
  /** Only names that begin with it, without it. @default '' all of them */
  readonly prefix?: string;
  /** Where a tensor lies on this machine. @default nowhere: all are read */
  readonly place?: (name: string) => Place;
}

/** What lies beside weights of 8 bits, by how programs call it: numbers that they are to be multiplied by. */
const SCALES = ['scale_weight', 'weight_scale', 'weight_scale_inv'] as const;
/** What lies beside them and is of no use to whoever computes in floats. */
const BESIDE = /(?:^|\.)(?:scaled_fp8|scale_input|input_scale|comfy_quant)$/u;

/**
 * The tensors of a safetensors file, none of them read: each stays in its file until an engine maps or reads it. Floats of 8 bits become
 * float16, which holds them all; those with scales beside them, which are no weights themselves, become float32.
 *
 * @throws UnsupportedError for scales of another form than one number, or one for each row
 */
export function lazyWeights(file: SafetensorsReader, { prefix = '', place }: LazyWeightsOptions = {}): WeightFile {
  const tensors = new Map<string, Tensor | UnreadWeight>();
  const stored = new Map<string, StoredForm>();
  const scales = scalesOf(file);
  const taken = new Set(scales.values());
  const isMarker = (name: string): boolean => BESIDE.test(name) && (taken.size > 0 || hasFloat8(file));
  let [scaled, beside] = [0, 0];
  for (const [name, { dtype, storedDType, shape, offset, byteLength }] of file.entries) {
    if (!name.startsWith(prefix)) continue;
    if (taken.has(name) || isMarker(name)) {
      beside++;
      continue;
    }
    const own = name.slice(prefix.length);
    const at = place?.(name);
    const lazily = (as: DType, read: () => Promise<HostArray>, mapping?: 'none'): Tensor => {
      const checked = async (): Promise<HostArray> => {
        await at?.check();
        return read();
      };
      const slice: FileSlice = { path: at?.path ?? file.label, offset, byteLength, read: checked, ...(at && { check: at.check }) };
      return fromFile(mapping === 'none' || at === undefined ? { ...slice, mapping: 'none' } : slice, { shape, dtype: as });
    };
    const scale = scales.get(name);
    if (scale !== undefined) {
      scaled++;
      stored.set(own, { form: storedDType, byteLength });
      tensors.set(
        own,
        lazily('float32', async () => scaledValues(file, { name, scale }), 'none'),
      );
    } else if (isFloat8(storedDType)) {
      stored.set(own, { form: storedDType, byteLength });
      tensors.set(
        own,
        lazily('float16', async () => float8ToFloat16(await file.readStored(name), storedDType), 'none'),
      );
    } else if (dtype === null) tensors.set(own, { unread: storedDType });
    else
      tensors.set(
        own,
        lazily(dtype, async () => (await file.read(name)).data),
      );
  }
  const evidence: Evidence[] = [];
  if (scaled > 0)
    evidence.push({
      component: '',
      what: 'weights',
      value: `${scaled} times their scales`,
      from: `${beside} tensors beside them, named like ${SCALES[0]}`,
    });
  return { tensors, stored, metadata: file.metadata, evidence, close: () => file.close() };
}

function hasFloat8({ entries }: SafetensorsReader): boolean {
  return [...entries.values()].some(({ storedDType }) => isFloat8(storedDType));
}

/** The name of a weight to that of its scales. */
function scalesOf({ entries, label }: SafetensorsReader): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, { shape, storedDType }] of entries) {
    if (!name.endsWith('.weight') || !(isFloat8(storedDType) || ['F16', 'BF16', 'F32'].includes(storedDType))) continue;
    const base = name.slice(0, -'weight'.length);
    const scale = SCALES.map((each) => base + each).find((each) => entries.has(each));
    if (scale === undefined) continue;
    const { shape: own, dtype } = entries.get(scale)!;
    const count = sizeOf(own);
    const fits = count === 1 || (count === shape[0] && own.every((size, axis) => axis === 0 || size === 1));
    if (!fits || dtype === null || !['float32', 'float16', 'bfloat16'].includes(dtype))
      throw new UnsupportedError(
        `[pipelines/weights] scales have a form that is not read: file=${label}, name=${scale}, ${entries.get(scale)!.storedDType}`
          + `[${own.join(', ')}] for a weight [${shape.join(', ')}]. Read are one number, or one for each row: convert the file to F16.`,
      );
    found.set(name, scale);
  }
  return found;
}

async function scaledValues(
  file: SafetensorsReader,
  { name, scale }: { readonly name: string; readonly scale: string },
): Promise<Float32Array> {
  const { storedDType } = file.entries.get(name)!;
  const scales = widened(await file.read(scale)).data as Float32Array;
  const bad = scales.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new UserError(
      `[pipelines/weights] scale is not finite: file=${file.label}, ${scale}[${bad}]=${scales[bad]}. The file is damaged.`,
    );
  if (isFloat8(storedDType)) return scaledFloat8(await file.readStored(name), storedDType satisfies Float8, scales);
  const values = Float32Array.from(widened(await file.read(name)).data as Float32Array);
  const row = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i]! *= scales[Math.floor(i / row)]!;
  return values;
}

/** The tensors of a GGUF file, none of them read: blocks become float32 when an engine takes them. */
export function lazyGguf(file: GgufReader, { place }: Pick<LazyWeightsOptions, 'place'> = {}): WeightFile {
  const tensors = new Map<string, Tensor | UnreadWeight>();
  const stored = new Map<string, StoredForm>();
  for (const [name, { dtype, shape, stored: form, offset, byteLength, block }] of file.entries) {
    if (dtype === null) {
      tensors.set(name, { unread: form });
      continue;
    }
    if (block.plain === undefined) stored.set(name, { form, byteLength });
    const at = place?.(name);
    const read = async (): Promise<HostArray> => {
      await at?.check();
      const { data }: HostTensor = await file.read(name);
      return data;
    };
    const slice: FileSlice = { path: at?.path ?? file.label, offset, byteLength, read, ...(at && { check: at.check }) };
    const mapped = block.plain !== undefined && at !== undefined;
    tensors.set(name, fromFile(mapped ? slice : { ...slice, mapping: 'none' }, { shape, dtype }));
  }
  const metadata = Object.fromEntries([...file.notes].flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
  return { tensors, stored, metadata, evidence: [], close: () => file.close() };
}
