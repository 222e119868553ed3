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
      // A start that was aborted prints no error about it.
      if (!signal.aborted) fail(error);
      return undefined;
    });
  const down = async () => {
    if (signal.aborted) return;
    // Aborts a wait for the database; a later phase of the start stops in order once it is complete.
    stop.abort();
    const server = await starting;
    await server?.close();
    process.exit(0);
  };
  process.on('SIGINT', down);
  process.on('SIGTERM', down);
  await starting;
});
