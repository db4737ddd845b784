/**
 * Name the kind of a file that is not safetensors, judged by its first bytes, with what to do about it; null when
 * nothing is recognised. Pickles run code when they are loaded, so they are only ever named, never read.
 */
export function describeForeignBytes(bytes: Uint8Array): string | null {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  if (text.startsWith('PK\u0003\u0004') || /^\x80[\x02-\x05]/.test(text)) return `a PyTorch pickle checkpoint. ${PICKLE_ADVICE}`;
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer. Fetch the real file with `git lfs pull`.';
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'a web page, probably from a failed download. Download the file again.';
  if (text.startsWith('\u001f\u008b')) return 'gzip data. Decompress it first.';
  if (text.startsWith('GGUF')) return 'a GGUF file. Give it a name that ends in .gguf.';
  return null;
}

/** What to say about pickles, whose loading would run code from the file. */
export const PICKLE_ADVICE =
  'Langevin does not read pickles, because loading one can run any code that it contains. '
  + 'Convert it in Python with safetensors.torch.save_file, or use the .safetensors file of the same model.';

/** File names that mean pickle in practice. */
export function hasPickleName(path: string): boolean {
  return /\.(bin|pt|pth|ckpt|pkl|pickle)$/i.test(path);
}
