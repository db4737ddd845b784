export { errorKind, InternalError, UnsupportedError, UserError } from './errors.ts';
export type { ErrorKind, ErrorOptions } from './errors.ts';
export { allocateHost, dtypes, hostView, isHostArray, itemSize } from './dtype.ts';
export type { DType, HostArray, HostArrays } from './dtype.ts';
