import { stridesOf } from '../../shape.ts';
import { broadcastStrides, dot, flatIndex, forEachIndex, type Elements, type Kernels } from './elements.ts';

/** Fill the output with x at a place that depends on the output's index. */
function readAt(x: Elements, out: Elements, place: (index: readonly number[]) => number): void {
  forEachIndex(out.shape, (index, i) => (out.values[i] = x.values[place(index)]!));
}

const copy = ({ inputs: [x], outputs: [out] }: { readonly inputs: readonly Elements[]; readonly outputs: readonly Elements[] }): void =>
  out!.values.set(x!.values);

export const shaping: Kernels<'reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'pad' | 'concat' | 'flip' | 'barrier'> = {
  reshape: copy,
  barrier: copy,

  transpose({ params: { permutation }, inputs: [x], outputs: [out] }) {
    const strides = stridesOf(x!.shape);
    const moved = permutation.map((axis) => strides[axis]!);
    readAt(x!, out!, (index) => dot(index, moved));
  },

  broadcastTo({ inputs: [x], outputs: [out] }) {
    const strides = broadcastStrides(x!.shape, out!.shape);
    readAt(x!, out!, (index) => dot(index, strides));
  },

  slice({ params: { starts, steps }, inputs: [x], outputs: [out] }) {
    readAt(x!, out!, (index) =>
      flatIndex(
        x!.shape,
        index.map((i, axis) => starts[axis]! + i * steps[axis]!),
      ),
    );
  },

  pad({ params: { padding, value }, inputs: [x], outputs: [out] }) {
    out!.values.fill(value);
    forEachIndex(x!.shape, (index, i) => {
      out!.values[
        flatIndex(
          out!.shape,
          index.map((at, axis) => at + padding[axis]![0]),
        )
      ] = x!.values[i]!;
    });
  },

  concat({ params: { axis }, inputs, outputs: [out] }) {
    let offset = 0;
    for (const x of inputs) {
      forEachIndex(x.shape, (index, i) => {
        out!.values[
          flatIndex(
            out!.shape,
            index.map((at, d) => (d === axis ? at + offset : at)),
          )
        ] = x.values[i]!;
      });
      offset += x.shape[axis]!;
    }
  },

  flip({ params: { axes }, inputs: [x], outputs: [out] }) {
    readAt(x!, out!, (index) =>
      flatIndex(
        x!.shape,
        index.map((at, axis) => (axes.includes(axis) ? x!.shape[axis]! - 1 - at : at)),
      ),
    );
  },
};
