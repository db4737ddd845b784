import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { generate, openModel, pageFiles, type PageFile } from '@langevin/pipelines/page';

/** What a test asks of the page: where files are, by their paths in the checkpoint, and how they are held. */
export interface PageCall {
  readonly from: string;
  readonly paths: readonly string[];
  readonly as: 'blobs' | 'addresses';
  readonly call: { readonly prompt: string; readonly steps: number; readonly seed: number };
}

export interface PageResult {
  readonly pixels: readonly number[];
  readonly parts: readonly string[];
  readonly device: string;
}

declare global {
  var langevinMake: (call: PageCall) => Promise<PageResult>;
}

globalThis.langevinMake = async ({ from, paths, as, call }) => {
  const files: Record<string, PageFile> = {};
  for (const path of paths) {
    const address = `${from}model/${path}`;
    files[path] = as === 'addresses' ? address : await (await fetch(address)).blob();
  }
  const engine = await onnxruntimeEngine({ device: 'wasm' });
  const model = await openModel(await pageFiles(files), { engine, memory: 'load-and-release' });
  const parts: string[] = [];
  let pixels: readonly number[] = [];
  for await (const event of generate({ model, ...call })) {
    if (event.kind === 'part') parts.push(event.name);
    if (event.kind === 'done') pixels = [...event.images[0]!.data];
  }
  const { device } = engine;
  await model.dispose();
  await engine.dispose();
  return { pixels, parts, device: String(device) };
};
