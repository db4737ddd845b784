import protobuf from 'protobufjs/minimal.js';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './model.ts';

/** Field numbers of the messages we write, from `onnx.proto3` (ONNX 1.18). */
const MODEL = { irVersion: 1, producerName: 2, producerVersion: 3, graph: 7, opsetImport: 8 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, f: 2, i: 3, s: 4, t: 5, g: 6, ints: 8, type: 20 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, ints: 7 } as const;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 } as const;
const EXTERNAL = 1;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE_INFO = { name: 1, type: 2 } as const;
const TYPE = { tensorType: 1, sequenceType: 4 } as const;
const SEQUENCE = { elemType: 1 } as const;
const TENSOR_TYPE = { elemType: 1, shape: 2 } as const;
const SHAPE = { dim: 1 } as const;
const DIMENSION = { value: 1, parameter: 2 } as const;

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

type Writer = protobuf.Writer;
type Write = (writer: Writer) => void;

const tag = (writer: Writer, field: number, wire: number): Writer => writer.uint32((field << 3) | wire);
const text = (writer: Writer, field: number, value: string): Writer => tag(writer, field, LENGTH_DELIMITED).string(value);
const bytes = (writer: Writer, field: number, value: Uint8Array): Writer => tag(writer, field, LENGTH_DELIMITED).bytes(value);
const integer = (writer: Writer, field: number, value: number): Writer => tag(writer, field, VARINT).int64(value);

function message(writer: Writer, field: number, write: Write): void {
  tag(writer, field, LENGTH_DELIMITED).fork();
  write(writer);
  writer.ldelim();
}

function packedIntegers(writer: Writer, field: number, values: readonly number[]): void {
  tag(writer, field, LENGTH_DELIMITED).fork();
  for (const value of values) writer.int64(value);
  writer.ldelim();
}

/** Serialise a model as the protobuf that every ONNX runtime reads. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create();
  integer(writer, MODEL.irVersion, model.irVersion);
  text(writer, MODEL.producerName, model.producer);
  for (const [domain, version] of Object.entries(model.opsets)) {
    message(writer, MODEL.opsetImport, (w) => {
      text(w, OPSET.domain, domain);
      integer(w, OPSET.version, version);
    });
  }
  message(writer, MODEL.graph, writeGraph(model));
  return writer.finish();
}

const writeGraph =
  (graph: OnnxGraph): Write =>
  (w) => {
    text(w, GRAPH.name, graph.name);
    for (const node of graph.nodes) message(w, GRAPH.node, writeNode(node));
    for (const tensor of graph.initializers) message(w, GRAPH.initializer, writeTensor(tensor));
    for (const input of graph.inputs) message(w, GRAPH.input, writeValue(input));
    for (const output of graph.outputs) message(w, GRAPH.output, writeValue(output));
    for (const value of graph.declared) message(w, GRAPH.valueInfo, writeValue(value));
  };

const writeNode =
  (node: OnnxNode): Write =>
  (w) => {
    for (const name of node.inputs) text(w, NODE.input, name);
    for (const name of node.outputs) text(w, NODE.output, name);
    text(w, NODE.name, node.name);
    text(w, NODE.opType, node.op);
    for (const [name, value] of Object.entries(node.attributes)) message(w, NODE.attribute, writeAttribute(name, value));
    if (node.domain !== '') text(w, NODE.domain, node.domain);
  };

const writeAttribute =
  (name: string, value: OnnxAttribute): Write =>
  (w) => {
    text(w, ATTRIBUTE.name, name);
    const type = (kind: keyof typeof ATTRIBUTE_TYPE): void => void integer(w, ATTRIBUTE.type, ATTRIBUTE_TYPE[kind]);
    if (typeof value === 'number') {
      integer(w, ATTRIBUTE.i, value);
      type('int');
    } else if (typeof value === 'string') {
      bytes(w, ATTRIBUTE.s, new TextEncoder().encode(value));
      type('string');
    } else if ('float' in value) {
      tag(w, ATTRIBUTE.f, FIXED32).float(value.float);
      type('float');
    } else if ('tensor' in value) {
      message(w, ATTRIBUTE.t, writeTensor(value.tensor));
      type('tensor');
    } else if ('graph' in value) {
      message(w, ATTRIBUTE.g, writeGraph(value.graph));
      type('graph');
    } else {
      for (const item of value) integer(w, ATTRIBUTE.ints, item);
      type('ints');
    }
  };

const writeTensor =
  (tensor: OnnxTensor): Write =>
  (w) => {
    packedIntegers(w, TENSOR.dims, tensor.shape);
    integer(w, TENSOR.dataType, tensor.type);
    text(w, TENSOR.name, tensor.name);
    const { data } = tensor;
    if (data instanceof Uint8Array) {
      bytes(w, TENSOR.rawData, data);
      return;
    }
    const entries = { location: data.location, offset: String(data.offset), length: String(data.byteLength) };
    for (const [key, value] of Object.entries(entries)) {
      message(w, TENSOR.externalData, (entry) => {
        text(entry, ENTRY.key, key);
        text(entry, ENTRY.value, value);
      });
    }
    integer(w, TENSOR.dataLocation, EXTERNAL);
  };

const writeValue =
  (value: OnnxValue): Write =>
  (writer) => {
    text(writer, VALUE_INFO.name, value.name);
    message(
      writer,
      VALUE_INFO.type,
      value.sequence
        ? (type) => message(type, TYPE.sequenceType, (w) => message(w, SEQUENCE.elemType, writeTensorType(value)))
        : writeTensorType(value),
    );
  };

const writeTensorType =
  ({ type, shape }: OnnxValue): Write =>
  (writer) =>
    message(writer, TYPE.tensorType, (tensor) => {
      integer(tensor, TENSOR_TYPE.elemType, type);
      if (shape === undefined) return;
      message(tensor, TENSOR_TYPE.shape, (w) => {
        for (const n of shape)
          message(
            w,
            SHAPE.dim,
            (dim) => void (typeof n === 'number' ? integer(dim, DIMENSION.value, n) : text(dim, DIMENSION.parameter, n)),
          );
      });
    });
