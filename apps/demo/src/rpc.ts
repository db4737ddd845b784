/** What a worker can be asked for: functions of one argument. */
type Handlers = Record<string, (argument: never) => unknown>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly fault: string };

/** An error of a worker, with its message as it was there. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}

/** A result whose buffers go over without a copy. */
export class Transferred<T> {
  readonly value: T;
  readonly buffers: readonly Transferable[];
  constructor(value: T, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Result<T> = Awaited<T> extends Transferred<infer V> ? V : Awaited<T>;

/** The worker seen from the page: each handler gives a promise. */
export type Remote<H> = {
  readonly [K in keyof H]: H[K] extends () => infer R
    ? () => Promise<Result<R>>
    : H[K] extends (argument: infer A) => infer R
      ? (argument: A) => Promise<Result<R>>
      : never;
};

/** The scope of a dedicated worker, as far as it is used here. */
export interface WorkerScope {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
}

/** Answers the requests of {@link connect}; to be called once in a worker. */
export function serve(scope: WorkerScope, handlers: Handlers): void {
  const answer = async ({ id, name, argument }: Request): Promise<void> => {
    try {
      const result = await handlers[name]!(argument as never);
      if (result instanceof Transferred) scope.postMessage({ id, value: result.value } satisfies Reply, result.buffers);
      else scope.postMessage({ id, value: result } satisfies Reply);
    } catch (error) {
      scope.postMessage({ id, fault: messageOf(error) } satisfies Reply);
    }
  };
  scope.onmessage = ({ data }) => void answer(data as Request);
}

export function connect<H extends Handlers>(worker: Worker): Remote<H> {
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  let next = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const waiter = waiting.get(data.id);
    waiting.delete(data.id);
    if ('fault' in data) waiter?.reject(new WorkerError(data.fault));
    else waiter?.resolve(data.value);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new WorkerError(event.message || 'a worker of the page could not start'));
    waiting.clear();
  };
  const ask = (name: string) => (argument?: unknown) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, argument } satisfies Request);
    });
  return new Proxy({}, { get: (_, name) => ask(String(name)) }) as Remote<H>;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
