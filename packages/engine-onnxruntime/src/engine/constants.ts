import type { Graph, GraphConstant } from '@langevin/tensor';
import { fromBfloat16Bits, isFileSlice, isMappable, itemSize, sizeOf, type FileSlice, type HostArray } from '@langevin/tensor';
import type { OnnxTensor } from '../onnx/model.ts';
import { bytesOf, type ExternalPart, type MappedFiles, type Runtime } from '../runtime/runtime.ts';

/** Constants up to this many bytes go into the model; larger ones are handed over beside it, and not copied into the protobuf. */
const EMBEDDED_BYTES = 64 * 1024;

export interface PlacedConstants {
  readonly place: (constant: GraphConstant) => OnnxTensor['data'];
  readonly externalData: readonly ExternalPart[];
  readonly sessionConfig: Readonly<Record<string, string>>;
  /** Of all constants. */
  readonly bytes: number;
}

/** Decide for every constant of a graph how it reaches the session. */
export async function placeConstants(graph: Graph, runtime: Runtime): Promise<PlacedConstants> {
  const externalData: ExternalPart[] = [];
  const places = new Map<GraphConstant, OnnxTensor['data']>();
  const mappable = (constant: GraphConstant): boolean => isMappable(constant.data) && graph.values[constant.value]!.dtype !== 'bfloat16';
  const slices = runtime.mapFiles ? graph.constants.filter(mappable).map((constant) => constant.data as FileSlice) : [];
  const mapped: MappedFiles | undefined = slices.length > 0 ? runtime.mapFiles!(slices) : undefined;
  for (const constant of graph.constants) {
    if (mapped && mappable(constant)) {
      await (constant.data as FileSlice).check?.();
      places.set(constant, mapped.locate(constant.data as FileSlice));
      continue;
    }
    const data = isFileSlice(constant.data) ? await constant.data.read() : constant.data;
    const bytes = bytesOf(graph.values[constant.value]!.dtype === 'bfloat16' ? widened(data) : data);
    if (bytes.byteLength <= EMBEDDED_BYTES) {
      places.set(constant, bytes);
      continue;
    }
    const path = `constant_${constant.value}`;
    externalData.push({ path, data: bytes });
    places.set(constant, { location: path, offset: 0, byteLength: bytes.byteLength });
  }
  const bytes = graph.constants.reduce((total, { value }) => {
    const { dtype, shape } = graph.values[value]!;
    return total + sizeOf(shape) * itemSize(dtype);
  }, 0);
  return { bytes, place: (constant) => places.get(constant)!, externalData, sessionConfig: mapped?.sessionConfig ?? {} };
}

export function widened(bits: HostArray): Float32Array {
  return Float32Array.from(bits as Uint16Array, fromBfloat16Bits);
}
