// A process of its own that keeps a PostgreSQL until it is told to stop: inside of jest the errors of Node are no `Error`.
import { openEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.ts';

const [dataDir = '', settings = '{}'] = process.argv.slice(2);
const { url, close } = await openEmbeddedPostgres({ dataDir, settings: JSON.parse(settings) });
process.on('SIGTERM', async () => {
  await close();
  process.exit(0);
});
process.send?.({ url });
