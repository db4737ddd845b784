import type { CompositeName, DType, HostArray, ValueInfo } from '@langevin/tensor';
import { allocateHost, sizeOf, toFloat16Bits } from '@langevin/tensor';
import type { LoweredName, LoweredParams } from '../fusion/program.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../onnx/model.ts';
import { storedTypes } from './storage.ts';

/** Whether `com.microsoft` ops may appear: allowed as private speed-ups of the engine, never in an exported file. */
export type Contrib = 'allow' | 'never';

/** Whose kernels will run the model: WebGPU's are rougher and fewer, so some ops are written out for it; WebAssembly's add in one lane. */
export type Provider = 'any' | 'wasm' | 'webgpu';

/** What a model is lowered for. */
export interface Target {
  readonly contrib: Contrib;
  /** @default 'any' */
  readonly provider?: Provider;
  /** See {@link Scope.channelBlock}. @default 0 */
  readonly channelBlock?: number;
}

/** A value of the graph under its ONNX name. */
export interface Operand extends ValueInfo {
  readonly name: string;
  /** Whether the runtime knows its elements when it loads the model. */
  readonly constant?: boolean;
}

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: '' | 'com.microsoft' | 'com.microsoft.nchwc';
}

/**
 * Everything a lowering rule may touch: the operands and results of one graph node, and the ONNX nodes and constants it adds.
 * ONNX nodes are named `op_valueId` (then `op_valueId.1`, ...), so that a message of the runtime leads back to the graph.
 */
export interface Scope {
  readonly contrib: Contrib;
  readonly provider: Provider;
  /** Channels per block in the layout of the CPU's convolution kernels; 0 where there are none. */
  readonly channelBlock: number;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly ValueInfo[];
  /** Add a node with one result and return its name. */
  emit(op: string, inputs: readonly (Operand | string)[], options?: EmitOptions): string;
  /** Add a node with `results` results and return their names. */
  emitMany(op: string, inputs: readonly (Operand | string)[], options: EmitOptions & { readonly results: number }): string[];
  /** An int64 vector. */
  ints(values: readonly number[]): string;
  /** A constant filled with one number; a scalar unless a shape is given. */
  fill(dtype: DType, value: number, shape?: readonly number[]): string;
  /** State the shape of a result that the runtime cannot infer. */
  declareShape(name: string, info: ValueInfo): void;
}

/** Lower one op: add ONNX nodes and return the names of the results, in order. */
export type Lower<Op extends LoweredName> = (scope: Scope, params: LoweredParams[Op]) => string | readonly string[];

export type LoweringTable<Ops extends LoweredName> = { readonly [Op in Ops]: Lower<Op> };

/** Composites that this engine runs as few nodes; the others reach it expanded. `checkpoint` never does. */
export type LoweredComposite = Exclude<CompositeName, 'checkpoint'>;

/** Collects the ONNX nodes and constants of a whole graph. */
export class ModelBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly declared = new Map<string, ValueInfo>();
  readonly domains = new Set<string>(['']);
  readonly #shared = new Map<string, string>();
  readonly #target: Required<Target>;

  constructor({ contrib, provider = 'any', channelBlock = 0 }: Target) {
    this.#target = { contrib, provider, channelBlock };
  }

  /** The names of nodes and of values below one graph node start with `prefix`. */
  scope(prefix: string, inputs: readonly Operand[], outputs: readonly ValueInfo[]): Scope {
    let count = 0;
    const emitMany: Scope['emitMany'] = (op, operands, { results: wanted, ...options }) => {
      const name = count === 0 ? prefix : `${prefix}.${count}`;
      count++;
      const results = Array.from({ length: wanted }, (_, i) => `${name}:${i}`);
      const domain = options.domain ?? '';
      this.domains.add(domain);
      this.nodes.push({
        name,
        op,
        domain,
        inputs: operands.map((operand) => (typeof operand === 'string' ? operand : operand.name)),
        outputs: results,
        attributes: options.attributes ?? {},
      });
      return results;
    };
    return {
      ...this.#target,
      inputs,
      outputs,
      emit: (op, operands, options) => emitMany(op, operands, { ...options, results: 1 })[0]!,
      emitMany,
      ints: (values) => this.ints(values),
      fill: (dtype, value, shape = []) => this.fill(dtype, value, shape),
      declareShape: (name, info) => void this.declared.set(name, info),
    };
  }

  /** Add a constant and return its name. */
  constant(name: string, info: ValueInfo, data: OnnxTensor['data']): string {
    this.initializers.push({ name, type: storedTypes[info.dtype], shape: info.shape, data });
    return name;
  }

  ints(values: readonly number[]): string {
    return this.#once(`ints:${values.join(',')}`, { dtype: 'int64', shape: [values.length] }, () => BigInt64Array.from(values, BigInt));
  }

  fill(dtype: DType, value: number, shape: readonly number[]): string {
    return this.#once(`fill:${dtype}:${Object.is(value, -0) ? '-0' : value}:${shape.join(',')}`, { dtype, shape }, () =>
      filled(dtype, value, sizeOf(shape)),
    );
  }

  #once(key: string, info: ValueInfo, make: () => HostArray): string {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const data = make();
    const name = this.constant(`shared_${this.#shared.size}`, info, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#shared.set(key, name);
    return name;
  }
}

function filled(dtype: DType, value: number, size: number): HostArray {
  if (dtype === 'bfloat16') return allocateHost('float32', size).fill(value);
  const out = allocateHost(dtype, size);
  if (out instanceof BigInt64Array) return out.fill(BigInt(value));
  return (out as Float32Array).fill(dtype === 'float16' ? toFloat16Bits(value) : value);
}
