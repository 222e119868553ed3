import { Command } from 'commander';
import { loadConfig } from '../../config.ts';
import { action } from './command.ts';
import { failWithSentence, note, say } from './output.ts';

/** `latchkey serve`: runs until SIGINT or SIGTERM, then goes down in order. */
export function serveCommand(): Command {
  return new Command('serve').description('start the server').action(action(serve));
}

async function serve(): Promise<void> {
  // Loaded here: the other commands start faster without the provider and the pages.
  const { serveRequests } = await import('../../server/workers.ts');
  const starting = serveRequests(loadConfig(), say, note);
  let isClosing = false;
  const down = async () => {
    if (isClosing) return;
    isClosing = true;
    // Told to stop while it starts, it goes down in order as soon as it is up.
    const server = await starting.catch(failWithSentence);
    await server.close();
    process.exit(0);
  };
  process.on('SIGINT', down);
  process.on('SIGTERM', down);
  await starting;
}
