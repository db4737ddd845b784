import type { ByteSource } from '../safetensors/byte-source.ts';
import { fileSource } from './file-source.ts';

/** Weights are read by the hundred, one after the other; nobody is in between for as long as this. */
const IDLE_MS = 1000;

/**
 * A file that is read by range through one handle, which is there while somebody reads: it is opened at the first read, closed when none
 * has come for a second, and opened again at the next. Such a source may be forgotten without a handle that stays open.
 *
 * @throws UserError when the file cannot be opened
 */
export async function heldSource(path: string): Promise<ByteSource> {
  const { label, byteLength, close } = await fileSource(path);
  await close();
  let opened: Promise<ByteSource> | undefined;
  let reading = 0;
  let idle: NodeJS.Timeout | undefined;
  const release = async (): Promise<void> => {
    clearTimeout(idle);
    const held = opened;
    opened = undefined;
    await (await held)?.close();
  };
  return {
    label,
    byteLength,
    read: async (offset, length) => {
      clearTimeout(idle);
      reading++;
      try {
        opened ??= fileSource(path);
        return await (await opened).read(offset, length);
      } catch (error) {
        opened = undefined;
        throw error;
      } finally {
        reading--;
        // Whoever reads still arms it when it is done.
        if (reading === 0) idle = setTimeout(() => void release().catch(() => undefined), IDLE_MS).unref();
      }
    },
    close: async () => {
      // A read that is under way keeps its handle; the timer closes it after the last.
      if (reading === 0) await release();
    },
  };
}
