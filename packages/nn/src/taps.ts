import type { Tensor } from '@langevin/tensor';

/**
 * Named places in a network that attention control and probes listen to. A network that nobody listens to builds the same graph, to the
 * hash, as one without places.
 */
export interface Taps {
  /** Whether anybody listens there; what costs a faster kernel (attention weights, say) is only computed then. */
  readonly listens: (place: string) => boolean;
  /**
   * What goes on from there: the value itself for a probe, another one for control. Called in the order of the network, while it is traced.
   */
  readonly at: (place: string, value: Tensor) => Tensor;
}

/**
 * The value that goes on from a place of a network.
 *
 * @example
 * const seen: string[] = [];
 * const taps = listenAt({ 'mid.out': (value) => (seen.push('mid.out'), value) });
 * tapped(taps, 'mid.out', ones([1]));
 * tapped(undefined, 'mid.out', ones([1]));
 * seen; // => ['mid.out']
 */
export function tapped(taps: Taps | undefined, place: string, value: Tensor): Tensor {
  return taps !== undefined && taps.listens(place) ? taps.at(place, value) : value;
}

/** Taps at places given by name: each function sees the value and returns what goes on. */
export function listenAt(places: Readonly<Record<string, (value: Tensor) => Tensor>>): Taps {
  return Object.freeze({
    listens: (place: string) => Object.hasOwn(places, place),
    at: (place: string, value: Tensor) => (Object.hasOwn(places, place) ? places[place]!(value) : value),
  });
}

/** The same taps for a part of a network: `attn1` there is `blocks.0.attn1` here. Nobody listening costs nothing. */
export function tapsWithin(taps: Taps | undefined, part: string): Taps | undefined {
  if (taps === undefined) return undefined;
  return {
    listens: (place) => taps.listens(`${part}.${place}`),
    at: (place, value) => taps.at(`${part}.${place}`, value),
  };
}

/** A function that passes a value through a place, only where somebody listens there: for what is costly to compute. */
export function listener(taps: Taps | undefined, place: string): ((value: Tensor) => Tensor) | undefined {
  return taps?.listens(place) === true ? (value) => taps.at(place, value) : undefined;
}
