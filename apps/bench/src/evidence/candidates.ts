import { availableDevices, onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { availableBackends, tfjsEngine } from '@langevin/engine-tfjs';
import type { Engine } from '@langevin/tensor';

/** An engine and a device of it, which this machine may have. */
export interface Candidate {
  readonly name: string;
  readonly available: boolean;
  readonly reason: string | undefined;
  readonly open: () => Promise<Engine>;
}

/** Every engine on every device that it knows. */
export async function engineCandidates(): Promise<readonly Candidate[]> {
  const devices = (await availableDevices()).map(({ device, available, reason }): Candidate => ({
    name: `onnxruntime/${device}`,
    available,
    reason,
    open: () => onnxruntimeEngine({ device }),
  }));
  const backends = (await availableBackends()).map((status): Candidate => {
    const { name, available } = status;
    return { name: `tfjs/${name}`, available, reason: available ? undefined : status.reason, open: () => tfjsEngine({ backend: name }) };
  });
  return [...devices, ...backends];
}
