import type { OpenProduct } from '../product.ts';

/** Something compiled, which may be freed and is compiled again when it is used. */
interface Disposable {
  readonly dispose: () => Promise<void>;
}

/** A model whose text encoders are these: each part is released by itself, or all of them. */
export function releasing(
  model: Pick<OpenProduct, 'release' | 'dispose'>,
  encoders: readonly Disposable[],
): Pick<OpenProduct, 'release' | 'dispose'> {
  const disposeEncoders = async (): Promise<void> => {
    for (const encoder of encoders) await encoder.dispose();
  };
  return {
    release: async (part) => (part === 'text encoders' ? disposeEncoders() : model.release(part)),
    dispose: async () => {
      await disposeEncoders();
      await model.dispose();
    },
  };
}
