import { add, item, tensor } from '@langevin/tensor';
import { expect, test, vi } from 'vitest';
import { tfjsEngine } from '../src/index.ts';

// A page whose .wasm files are not served, by an address that leads nowhere. A process has one such backend, so this is a file of its own.
const wasmPaths = '/nowhere/';

test('a wasm backend without its files says what to serve, and the next backend works from its first run on', async () => {
  const [warn, error] = [vi.spyOn(console, 'warn').mockReturnValue(), vi.spyOn(console, 'error').mockReturnValue()];
  await expect(tfjsEngine({ backend: 'wasm', wasmPaths })).rejects.toThrow(
    /backend is not available: backend="wasm", @tensorflow\/tfjs-backend-wasm: it did not initialise: .* wasmPaths\.$/u,
  );

  const engine = await tfjsEngine({ wasmPaths });
  expect(engine.device).toBe('cpu');
  expect(await item(add(tensor(1), 2), { engine })).toBe(3);
  expect(await item(add(tensor(2), 2), { engine })).toBe(4);
  expect(warn.mock.calls.map(String).filter((text) => text.startsWith('[engine-tfjs/backend]'))).toEqual([
    expect.stringMatching(/^\[engine-tfjs\/backend\] the backend is "cpu", since others did not start: wasm: .*wasmPaths\.$/u),
  ]);
  warn.mockRestore();
  error.mockRestore();
});
