import { createServer } from 'node:http';

export type MetricsListener = { close: () => Promise<void> };

/** The source of metrics: one process's registry, or those of all workers. */
type Source = { contentType: string; metrics: () => Promise<string> };

/**
 * Serves `/metrics` on a port of its own, which is not published to the internet: rates and sizes tell an attacker much.
 *
 * @throws when the port is taken
 */
export function openMetricsListener(
  source: Source,
  { port, host }: { port: number; host: string },
): Promise<MetricsListener> {
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    try {
      const text = await source.metrics();
      response.writeHead(200, { 'Content-Type': source.contentType }).end(text);
    } catch {
      // A worker did not answer in time; the next scrape tries again.
      response.writeHead(503).end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ close });
    });
  });
}
