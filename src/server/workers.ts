import cluster from 'node:cluster';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from '../config.ts';
import { type MetricsListener, openMetricsListener } from '../platform/metrics/index.ts';
import { openDatabaseServer } from './installation.ts';
import { letNewSpaceGrow, returnMemoryWhenIdle } from './memory.ts';
import { ordersForThisWorker, type WorkerMessage, WorkerProcesses } from './worker-processes.ts';

type Say = (line: string) => void;

/** How a start reports, and the signal that aborts it. */
export type ServeOptions = {
  /** Prints lines for the operator. */
  say: Say;
  /** Prints a line that is no part of the greeting. */
  note: Say;
  signal: AbortSignal;
};

type Running = { close: () => Promise<void> };

/**
 * Serves requests: in this process, or, with `WEB_CONCURRENCY`, in so many workers that share the port. The first process then runs the
 * database and the metrics, and replaces workers that exit.
 *
 * @throws StartError and others with one sentence for the operator; anything once the signal is aborted
 */
export async function serveRequests(config: Config, options: ServeOptions): Promise<Running> {
  const running = await startProcess(config, options).finally(letNewSpaceGrow);
  const stopReturning = returnMemoryWhenIdle();
  return {
    close: async () => {
      stopReturning();
      await running.close();
    },
  };
}

async function startProcess(config: Config, options: ServeOptions): Promise<Running> {
  if (cluster.isWorker) return startWorker(config, options);
  return config.workers > 1 ? startWorkers(config, options) : startAlone(config, options);
}

async function startAlone(config: Config, options: ServeOptions): Promise<Running> {
  const { startServer } = await import('./main.ts');
  const server = await startServer(config, { ...options, listens: 'at once' });
  const { registry } = server.metrics;
  const listener = await listen(config, { contentType: registry.contentType, metrics: () => registry.metrics() });
  return {
    close: async () => {
      await listener?.close();
      await server.close();
    },
  };
}

async function startWorker(config: Config, { note, signal }: ServeOptions): Promise<Running> {
  const send = (message: WorkerMessage, then?: () => void) => process.send?.(message, undefined, undefined, then);
  try {
    // Loaded here: the process that manages the workers serves nothing itself.
    const [{ startServer }, { port, isFirst }] = await Promise.all([import('./main.ts'), ordersForThisWorker()]);
    const place = { ...config, port, issuer: config.issuer ?? new URL(`http://localhost:${port}`).origin };
    const server = await startServer(place, {
      say: isFirst ? (lines) => send({ lines }) : undefined,
      note,
      listens: isFirst ? 'at once' : 'when ready',
      signal,
    });
    // Answers the first process when it collects the metrics of all workers.
    new AggregatorRegistry();
    AggregatorRegistry.setRegistries([server.metrics.registry]);
    send({ isReady: true });
    return server;
  } catch (error) {
    signal.throwIfAborted();
    // The first process reports it, once.
    return new Promise(() => {
      send({ failed: error instanceof Error ? error.message : String(error) }, () => process.exit(1));
    });
  }
}

async function startWorkers(config: Config, { say, note, signal }: ServeOptions): Promise<Running> {
  const location = await openDatabaseServer(config, 'server');
  const processes = new WorkerProcesses({
    size: config.workers,
    port: config.port || (await freePort(config.host)),
    note,
  });
  try {
    const lines = await processes.start(signal);
    for (const line of [...lines, `  Workers: ${config.workers} on ${availableParallelism()} cores`]) say(line);
    const aggregator = new AggregatorRegistry();
    const listener = await listen(config, {
      contentType: aggregator.contentType,
      metrics: () => aggregator.clusterMetrics(),
    });
    return {
      close: async () => {
        await listener?.close();
        await processes.close();
        await location.close();
      },
    };
  } catch (error) {
    await processes.close();
    await location.close();
    throw error;
  }
}

/** With `PORT=0` all workers must get the same port. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address ? address.port : 0;
}

async function listen(
  { metricsPort: port, host }: Config,
  source: Parameters<typeof openMetricsListener>[0],
): Promise<MetricsListener | undefined> {
  return port === undefined ? undefined : openMetricsListener(source, { port, host });
}
