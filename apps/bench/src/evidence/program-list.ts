import { generateProgram, programKinds } from '@langevin/tensor/testing';

/** Random programs of each kind as JSON: what `tooling/parity/programs_golden.py` asks PyTorch about. */
export function programList(ofEachKind: number): string {
  return JSON.stringify(programKinds.flatMap((kind) => Array.from({ length: ofEachKind }, (_, i) => generateProgram(kind, i))));
}
