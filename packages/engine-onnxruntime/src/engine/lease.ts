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

  /** Whether the session is gone, or goes with its last tensor. */
  get closed(): boolean {
    return this.#closing;
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

/**
 * The sessions of an engine. Each is closed when its executable is disposed of, when nobody has the executable any more (a compiled
 * function that was dropped), or with the engine. An executable is not referred to from here, or it would never be garbage.
 */
export class OpenLeases {
  readonly #leases = new Set<SessionLease>();
  readonly #forgotten = new FinalizationRegistry<SessionLease>((lease) => void this.close(lease));

  /** Close the lease when the executable is garbage. */
  watch(executable: object, lease: SessionLease): void {
    this.#leases.add(lease);
    this.#forgotten.register(executable, lease, lease);
  }

  async close(lease: SessionLease): Promise<void> {
    this.#leases.delete(lease);
    this.#forgotten.unregister(lease);
    await lease.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#leases].map((lease) => this.close(lease)));
  }
}
