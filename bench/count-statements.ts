// Preloaded into measured servers: counts the statements they send, and tells the count when asked.
import pg from 'pg';

let statements = 0;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function counted(this: pg.Client, ...input: unknown[]) {
  statements += 1;
  return Reflect.apply(query, this, input);
} as typeof query;

process.on('message', (message) => {
  if (message === 'statements') process.send?.({ statements });
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
process.channel?.unref();
