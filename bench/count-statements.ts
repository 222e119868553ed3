// Preloaded into measured servers: counts the statements that they and their workers send, and reports the count on request.
import cluster, { type Worker } from 'node:cluster';
import pg from 'pg';

let statements = 0;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function counted(this: pg.Client, ...input: unknown[]) {
  statements += 1;
  return Reflect.apply(query, this, input);
} as typeof query;

process.on('message', (message) => {
  if (message === 'statements') void total().then((sum) => process.send?.({ statements: sum }));
});
// The parent process has ended.
process.on('disconnect', () => process.exit());
// The channel must not keep the process alive.
if (cluster.isPrimary) process.channel?.unref();

async function total(): Promise<number> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const counts = await Promise.all(workers.map(countOf));
  return counts.reduce((sum, count) => sum + count, statements);
}

function countOf(worker: Worker): Promise<number> {
  return new Promise((resolve) => {
    const answered = (message: { statements?: number }) => {
      if (message.statements === undefined) return;
      worker.off('message', answered);
      resolve(message.statements);
    };
    worker.on('message', answered);
    worker.send('statements');
  });
}
