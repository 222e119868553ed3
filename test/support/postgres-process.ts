// A separate process that runs a PostgreSQL until it is stopped: in Jest, the errors of Node are not `instanceof Error`.
import { openEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.ts';

const [dataDir = '', settings = '{}'] = process.argv.slice(2);
const { url, close } = await openEmbeddedPostgres({ dataDir, settings: JSON.parse(settings) });
process.on('SIGTERM', async () => {
  await close();
  process.exit(0);
});
process.send?.({ url });
