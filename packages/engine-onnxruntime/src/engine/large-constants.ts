import type { EngineBuffer, Executable, Graph, GraphConstant, HostArray, ValueInfo } from '@langevin/tensor';
import { isFileSlice, isMappable, itemSize, sizeOf } from '@langevin/tensor';
import type { Runtime } from '../runtime/runtime.ts';

/** The runtime refuses a constant that it is handed in memory from here on: 2 GiB. Files that it maps itself may be larger. */
const MOST_BYTES = 2 ** 31;

/** A graph whose largest constants are its last inputs. */
export interface FedGraph {
  readonly graph: Graph;
  /** What goes into those inputs at every run. */
  readonly fed: readonly { readonly info: ValueInfo; readonly data: HostArray }[];
}

/** Make inputs of the constants that are too large for the runtime. */
export async function feedLargeConstants(graph: Graph, runtime: Runtime): Promise<FedGraph> {
  const isLarge = ({ value, data }: GraphConstant): boolean => {
    const { dtype, shape } = graph.values[value]!;
    const isMapped = isMappable(data) && runtime.mapFiles !== undefined && dtype !== 'bfloat16';
    // bfloat16 is handed over as float32.
    return !isMapped && sizeOf(shape) * (dtype === 'bfloat16' ? 4 : itemSize(dtype)) > MOST_BYTES;
  };
  const large = graph.constants.filter(isLarge);
  if (large.length === 0) return { graph, fed: [] };
  const fed = await Promise.all(
    large.map(async ({ value, data }) => ({ info: graph.values[value]!, data: isFileSlice(data) ? await data.read() : data })),
  );
  const inputs = [...graph.inputs, ...large.map(({ value }) => value)];
  return { graph: { ...graph, inputs, constants: graph.constants.filter((constant) => !isLarge(constant)) }, fed };
}

/** An executable whose last inputs are always the same. */
export function withFedInputs(executable: Executable, buffers: readonly EngineBuffer[]): Executable {
  if (buffers.length === 0) return executable;
  return { run: (inputs, options) => executable.run([...inputs, ...buffers], options), dispose: () => executable.dispose() };
}
