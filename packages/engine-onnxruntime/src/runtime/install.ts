import { UserError } from '@langevin/tensor';

/** Import an optional peer, or say how to install it. */
export async function importPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new UserError(`[engine-onnxruntime] cannot load an optional package: package=${name}. Install it with \`npm install ${name}\`.`, {
      cause: error,
    });
  }
}
