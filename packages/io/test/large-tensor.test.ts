import { constants } from 'node:buffer';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '@langevin/io/node';
import { errorKind } from '@langevin/tensor';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

it('a tensor beyond what an array may hold is told with the limit, and those beside it are read', async ({ skip }) => {
  const bytes = constants.MAX_LENGTH + 8;
  // Node 22 and later make arrays that no disk could hold.
  if (bytes > 2 ** 36) skip(`the limit of this Node is ${constants.MAX_LENGTH} bytes`);
  const path = join(await temporaryFolder(), 'large.safetensors');
  const header = JSON.stringify({
    small: { dtype: 'U8', shape: [8], data_offsets: [0, 8] },
    large: { dtype: 'U8', shape: [bytes], data_offsets: [8, bytes + 8] },
  });
  const start = Buffer.alloc(8 + header.length + ((8 - (header.length % 8)) % 8), ' ');
  start.writeBigUInt64LE(BigInt(start.length - 8));
  start.write(header, 8);
  // A file with a hole takes no room.
  const file = await open(path, 'w');
  await file.write(start);
  await file.truncate(start.length + bytes + 8);
  await file.close();

  const opened = await openSafetensors(path);
  try {
    const error: unknown = await opened.read('large').catch((cause: unknown) => cause);
    expect(errorKind(error)).toBe('unsupported');
    expect((error as Error).message).toContain(`size=${bytes} bytes, limit=${constants.MAX_LENGTH}, node=${process.version}.`);
    expect([...(await opened.read('small')).data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  } finally {
    await opened.close();
  }
});
