import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { action } from './command.ts';
import { say } from './output.ts';

/** `latchkey serve`: runs until SIGINT or SIGTERM, then goes down in order. */
export function serveCommand(): Command {
  return new Command('serve').description('start the server').action(action(serve));
}

async function serve(): Promise<void> {
  // Loaded here: the other commands start faster without the provider and the pages.
  const { startServer } = await import('../main.ts');
  const server = await startServer(loadConfig(), say);
  let isClosing = false;
  const down = async () => {
    if (isClosing) return;
    isClosing = true;
    await server.close();
    process.exit(0);
  };
  process.on('SIGINT', down);
  process.on('SIGTERM', down);
}
