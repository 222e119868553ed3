import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from './config.ts';
import { migrateDatabase, openDatabaseServer } from './installation.ts';
import { startServer } from './main.ts';
import { type MetricsListener, openMetricsListener } from './platform/metrics/index.ts';

type Say = (line: string) => void;
type Running = { close: () => Promise<void> };

/** What a worker tells the process that started it. */
type Message = { line: string } | { failed: string } | { isReady: true };

const respawnMs = 1000;

/**
 * Serves requests: in this process, or, with `WEB_CONCURRENCY`, in so many workers that share the port. The first process then
 * keeps the database and the metrics, and replaces workers that die.
 *
 * @param say and note as for `startServer`
 * @throws StartError and others with one sentence for the operator
 */
export async function serveRequests(config: Config, say: Say, note: Say): Promise<Running> {
  if (cluster.isWorker) return startWorker(config, note);
  return config.workers > 1 ? startWorkers(config, say, note) : startAlone(config, say, note);
}

async function startAlone(config: Config, say: Say, note: Say): Promise<Running> {
  const server = await startServer(config, say, note);
  const { registry } = server.metrics;
  const listener = await listen(config, { contentType: registry.contentType, metrics: () => registry.metrics() });
  return {
    close: async () => {
      await listener?.close();
      await server.close();
    },
  };
}

/** Only the first worker greets: all say the same. */
async function startWorker(config: Config, note: Say): Promise<Running> {
  const tell = (message: Message) => process.send?.(message);
  const isFirst = cluster.worker?.id === 1;
  try {
    const server = await startServer(config, (line) => isFirst && tell({ line }), note);
    // Answers the first process when it gathers everybody's metrics.
    new AggregatorRegistry();
    AggregatorRegistry.setRegistries([server.metrics.registry]);
    tell({ isReady: true });
    return server;
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

async function startWorkers(config: Config, say: Say, note: Say): Promise<Running> {
  const location = await openDatabaseServer(config);
  let isClosing = false;
  const lines: string[] = [];
  const fork = (): Worker => {
    const worker = cluster.fork();
    worker.on('message', (message: Message) => {
      if ('line' in message) lines.push(message.line);
    });
    worker.on('exit', () => {
      if (!isClosing) setTimeout(() => isClosing || fork(), respawnMs);
    });
    return worker;
  };
  try {
    await migrateDatabase(config, location, note);
    const [first, ...rest] = Array.from({ length: config.workers }, (_, n) => n);
    if (first !== undefined) await started(fork());
    await Promise.all(rest.map(() => started(fork())));
    for (const line of [...lines, `  Workers: ${config.workers} on ${availableParallelism()} cores`]) say(line);
    const aggregator = new AggregatorRegistry();
    const listener = await listen(config, {
      contentType: aggregator.contentType,
      metrics: () => aggregator.clusterMetrics(),
    });
    return {
      close: async () => {
        isClosing = true;
        await listener?.close();
        await endWorkers();
        await location.close();
      },
    };
  } catch (error) {
    isClosing = true;
    await endWorkers();
    await location.close();
    throw error;
  }
}

function started(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: Message) => {
      if ('isReady' in message) resolve();
      if ('failed' in message) reject(new WorkerError(message.failed));
    });
    worker.once('exit', () => reject(new WorkerError('A worker ended before it served requests.')));
  });
}

/** A worker's own sentence for the operator. */
class WorkerError extends Error {
  override name = 'WorkerError';
}

async function endWorkers(): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(
    workers.map((worker) => {
      const gone = new Promise((resolve) => worker.once('exit', resolve));
      worker.kill('SIGTERM');
      return gone;
    }),
  );
}

async function listen(
  { metricsPort: port, host }: Config,
  source: Parameters<typeof openMetricsListener>[0],
): Promise<MetricsListener | undefined> {
  return port === undefined ? undefined : openMetricsListener(source, { port, host });
}
