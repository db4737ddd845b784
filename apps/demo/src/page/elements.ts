/** An element of index.html. @throws Error when the page and its script do not fit */
export function byId<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page lacks #${id}`);
}

export const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);
export const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);
export const select = (id: string): HTMLSelectElement => byId(id, HTMLSelectElement);
export const box = (id: string): HTMLElement => byId(id, HTMLElement);

export function setText(id: string, text: string): void {
  const element = box(id);
  if (element.textContent !== text) element.textContent = text;
}

/** A button of a pair or a switch is on, or not. */
export function press(element: HTMLElement, { on }: { readonly on: boolean }): void {
  element.setAttribute('aria-pressed', String(on));
}

/** Fills a list of choices. */
export function fill(list: HTMLSelectElement, choices: readonly { readonly value: string; readonly text: string }[]): void {
  list.replaceChildren(...choices.map(({ value, text }) => new Option(text, value)));
}

/** Hands bytes to the browser as a download. */
export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold of the bytes by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
