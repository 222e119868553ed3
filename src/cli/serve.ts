import { loadConfig } from '../config.ts';
import { startServer } from '../main.ts';
import { failWithSentence, say } from './output.ts';

/** `latchkey serve`: runs until SIGINT or SIGTERM, then goes down in order. */
export async function serve(): Promise<void> {
  try {
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
  } catch (error) {
    failWithSentence(error);
  }
}
