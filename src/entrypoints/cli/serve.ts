import { Command } from 'commander';
import { loadConfig } from '../../config.ts';
import { action } from './command.ts';
import { hostOf } from './host.ts';
import { failWithSentence, note, say } from './output.ts';

/** `latchkey serve`: runs until SIGINT or SIGTERM, then goes down in order. */
export function serveCommand(): Command {
  return new Command('serve').description('start the server').action(action(serve));
}

async function serve(...given: unknown[]): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const starting = hostOf(given)
    .serveRequests(loadConfig(), { say, note, signal })
    .catch((error: unknown) => {
      // A start that was told to stop has nothing to say about what it did not finish.
      if (!signal.aborted) failWithSentence(error);
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
}
