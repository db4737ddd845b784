import type { OrtSession } from '../runtime/ort.ts';

/**
 * Keeps a session alive while tensors that it allocated on the device are: releasing the session first would pull the memory from
 * under them, and disposing of them then ends the process.
 */
export class SessionLease {
  readonly session: OrtSession;
  #tensors = 0;
  #closing = false;

  constructor(session: OrtSession) {
    this.session = session;
  }

  retain(): void {
    this.#tensors++;
  }

  async drop(): Promise<void> {
    this.#tensors--;
    await this.#releaseIfIdle();
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.#releaseIfIdle();
  }

  async #releaseIfIdle(): Promise<void> {
    if (this.#closing && this.#tensors === 0) await this.session.release();
  }
}
