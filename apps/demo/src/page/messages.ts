import { messageOf } from '../rpc.ts';
import { box, button, setText } from './elements.ts';
import { plain } from './format.ts';

/** Says what goes on, quietly. */
export function say(text: string): void {
  setText('status', text);
}

/** Shows what went wrong, until it is closed or something works. */
export function showFault(error: unknown): void {
  setText('fault-text', plain(messageOf(error)));
  box('fault').hidden = false;
  say('');
}

export function hideFault(): void {
  box('fault').hidden = true;
}

/** Does something that may fail, and says so on the page. */
export async function attempt(task: () => Promise<void> | void): Promise<void> {
  try {
    await task();
  } catch (error) {
    showFault(error);
  }
}

export function connectMessages(): void {
  button('fault-close').addEventListener('click', hideFault);
}
