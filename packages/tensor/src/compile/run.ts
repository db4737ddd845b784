import { hostFromNumbers } from '../dtype.ts';
import type { EngineBuffer } from '../engine/engine.ts';
import { bufferOf } from '../engine/realize.ts';
import { Tensor } from '../tensor.ts';
import type { Leaf } from '../tree.ts';
import type { Specialization } from './trace.ts';

/** One call: arguments to the engine, the graph, results as a tree; donated storage is kept for the results of the next call. */
export async function run(specialization: Specialization, leaves: readonly Leaf[], name: string): Promise<unknown> {
  const { executable, engine, feeds, spare, donations, outputs } = specialization;
  const inputs: EngineBuffer[] = [];
  for (const feed of feeds) {
    if (feed.kind === 'captured') {
      inputs.push(await bufferOf(feed.tensor, engine));
      continue;
    }
    const leaf = leaves[feed.leaf];
    inputs.push(
      await (leaf instanceof Tensor
        ? bufferOf(leaf, engine)
        : engine.upload(hostFromNumbers('float32', [leaf as number]), { shape: [], dtype: 'float32' })),
    );
  }
  const targets = spare.slice();
  spare.fill(undefined);
  const buffers = executable ? await executable.run(inputs, { outputs: targets }) : [];
  for (const { leaf, output } of donations) {
    const tensor = leaves[leaf] as Tensor;
    const source = Tensor.source(tensor);
    // Storage that an upload shares with the caller's array must not be written to.
    if (source.kind === 'buffer' && source.engine === engine) {
      if (output >= 0) spare[output] = source.buffer;
      else source.buffer.dispose();
    } else if (source.kind === 'host' || source.kind === 'file') {
      source.uploaded?.buffer.dispose();
    }
    Tensor.setSource(tensor, { kind: 'gone', reason: `it was donated to ${name}.` });
  }
  const tensors = outputs.map(({ shape, dtype }, i) => new Tensor(shape, dtype, { kind: 'buffer', engine, buffer: buffers[i]! }));
  return specialization.rebuild(
    specialization.results.map((result) => {
      if (result.kind === 'output') return tensors[result.index];
      return result.kind === 'argument' ? asTensor(leaves[result.leaf]) : result.value;
    }),
  );
}

function asTensor(leaf: Leaf): Tensor {
  return leaf instanceof Tensor ? leaf : new Tensor([], 'float32', { kind: 'host', data: hostFromNumbers('float32', [leaf as number]) });
}
