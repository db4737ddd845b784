import { onnxTypes, type OnnxModel } from './model.ts';

const value = (name: string) => ({ name, type: onnxTypes.float32, shape: [1] });

/** y = -x for one number: the smallest model, to try out what a runtime can do. */
export const PROBE_MODEL: OnnxModel = {
  irVersion: 10,
  producer: 'langevin',
  name: 'probe',
  opsets: { '': 21 },
  nodes: [{ name: 'probe', op: 'Neg', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
  initializers: [],
  inputs: [value('x')],
  outputs: [value('y')],
  declared: [],
};
