import { shownValue, UserError } from '@langevin/tensor';

/** Code without types passes anything: what is none of what a function takes is told before it is used. */

/** @param where how messages start, for example `[io/safetensors]` @throws UserError when these are no bytes */
export function checkBytes(bytes: unknown, where: string): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array) return;
  throw new UserError(`${where} these are no bytes: bytes=${shownValue(bytes)}. Pass a Uint8Array.`);
}

/** @throws UserError when this is no path of a file or folder */
export function checkPath(path: unknown, where: string): asserts path is string {
  if (typeof path === 'string' && path.trim() !== '' && !path.includes('\0')) return;
  throw new UserError(`${where} path is not one: path=${shownValue(path)}. Give the path of a file or folder as text.`);
}

/** @throws UserError for the first of these that is no function */
export function checkFunctions(functions: Readonly<Record<string, unknown>>, where: string): void {
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== 'function') throw new UserError(`${where} this is no function: ${name}=${shownValue(value)}. Pass one.`);
  }
}

/** An object with fields of its own. @throws UserError when it is none */
export function checkObject(value: unknown, name: string, where: string): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)) return;
  throw new UserError(`${where} this is no ${name}: ${name}=${shownValue(value)}. Pass an object with its entries.`);
}

/** @throws UserError when it has no length, or lacks one of the functions */
export function checkSource(source: unknown, where: string, functions: readonly string[] = ['load', 'itemName']): void {
  const fields = (typeof source === 'object' && source !== null ? source : {}) as Readonly<Record<string, unknown>>;
  if (Number.isSafeInteger(fields['length']) && functions.every((name) => typeof fields[name] === 'function')) return;
  throw new UserError(`${where} this is no source: source=${shownValue(source)}. Pass what defineSource() or openData() gives.`);
}
