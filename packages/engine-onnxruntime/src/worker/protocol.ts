import type { ErrorKind, Graph, HostArray, ValueInfo } from '@langevin/tensor';
import type { EngineOptions } from '../engine/options.ts';

/** Buffers and executables live in the worker; outside they are numbers. */
export type Handle = number;

export type Request =
  | { readonly kind: 'start'; readonly options: EngineOptions }
  | { readonly kind: 'compile'; readonly graph: Graph }
  | {
      readonly kind: 'run';
      readonly executable: Handle;
      readonly inputs: readonly Handle[];
      readonly outputs: readonly (Handle | undefined)[];
    }
  | { readonly kind: 'upload'; readonly data: HostArray; readonly info: ValueInfo }
  | { readonly kind: 'download'; readonly buffer: Handle }
  | { readonly kind: 'disposeBuffer'; readonly buffer: Handle }
  | { readonly kind: 'disposeExecutable'; readonly executable: Handle }
  | { readonly kind: 'stop' };

export interface Answers {
  start: { readonly device: string; readonly composites: readonly string[] };
  compile: Handle;
  run: readonly Handle[];
  upload: Handle;
  download: HostArray;
  disposeBuffer: undefined;
  disposeExecutable: undefined;
  stop: undefined;
}

/** Classes do not survive the way between threads, so errors travel as their parts. */
export interface ErrorParts {
  readonly kind: ErrorKind | undefined;
  readonly message: string;
}

export interface RequestMessage {
  readonly id: number;
  readonly request: Request;
}

export type ResponseMessage =
  | { readonly id: number; readonly ok: true; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly ok: false; readonly error: ErrorParts };
