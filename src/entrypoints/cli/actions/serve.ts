import { loadConfig } from '../../../config.ts';
import { hostOf } from '../host.ts';
import { action } from './command-context.ts';
import { fail, note, say } from './output.ts';

export const serve = action(async (...given: unknown[]) => {
  const stop = new AbortController();
  const { signal } = stop;
  const starting = hostOf(given)
    .serveRequests(loadConfig(), { say, note, signal })
    .catch((error: unknown) => {
      // A start that was told to stop has nothing to say about what it did not finish.
      if (!signal.aborted) fail(error);
      return undefined;
    });
  const down = async () => {
    if (signal.aborted) return;
    // Ends a wait for the database; what is further along goes down in order as soon as it is up.
    stop.abort();
    const server = await starting;
    await server?.close();
    process.exit(0);
  };
  process.on('SIGINT', down);
  process.on('SIGTERM', down);
  await starting;
});
