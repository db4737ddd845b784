import { debugLevel, debugLog } from '../debug.ts';
import type { Graph } from '../graph/graph.ts';
import { printGraph } from '../graph/print.ts';
import { verifyGraph } from '../graph/verify.ts';
import type { Engine, Executable } from './engine.ts';

export interface CacheCounters {
  readonly compilations: number;
  readonly hits: number;
  readonly entries: number;
}

interface EngineCache {
  readonly entries: Map<string, Promise<Executable>>;
  compilations: number;
  hits: number;
}

/** Compiled graphs kept for each engine; the least recently used are disposed beyond it. */
const CAPACITY = 256;

const caches = new WeakMap<Engine, EngineCache>();

function cacheOf(engine: Engine): EngineCache {
  let cache = caches.get(engine);
  if (!cache) caches.set(engine, (cache = { entries: new Map(), compilations: 0, hits: 0 }));
  return cache;
}

/** How often graphs were compiled and found again on an engine. */
export function cacheCounters(engine: Engine): CacheCounters {
  const { compilations, hits, entries } = cacheOf(engine);
  return { compilations, hits, entries: entries.size };
}

/** Compile a graph with the debug switch's checks. */
export async function compileGraph(engine: Engine, graph: Graph, name = 'graph'): Promise<Executable> {
  const level = debugLevel();
  if (level >= 3) verifyGraph(graph);
  const start = performance.now();
  const executable = await engine.compile(graph);
  cacheOf(engine).compilations++;
  if (level >= 1)
    debugLog(
      `[tensor] compiled ${name}: ${graph.nodes.length} nodes, ${graph.inputs.length} inputs, `
        + `${(performance.now() - start).toFixed(1)} ms on ${engine.name}/${engine.device}`,
    );
  if (level >= 2) debugLog(printGraph(graph));
  return executable;
}

/** The executable of a graph, compiled at its first use on the engine. */
export function executableFor(engine: Engine, graph: Graph): Promise<Executable> {
  const cache = cacheOf(engine);
  const known = cache.entries.get(graph.key);
  if (known) {
    cache.hits++;
    cache.entries.delete(graph.key);
    cache.entries.set(graph.key, known);
    return known;
  }
  const fresh = compileGraph(engine, graph);
  cache.entries.set(graph.key, fresh);
  fresh.catch(() => cache.entries.delete(graph.key));
  if (cache.entries.size > CAPACITY) {
    const [oldest, evicted] = cache.entries.entries().next().value!;
    cache.entries.delete(oldest);
    void evicted.then(
      (executable) => executable.dispose(),
      () => undefined,
    );
  }
  return fresh;
}
