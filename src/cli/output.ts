import { ConfigError } from '../config.ts';
import { StartError } from '../installation.ts';
import { EmbeddedPostgresError } from '../platform/embedded-postgres/index.ts';
import { Problem } from '../platform/http/index.ts';

/** Prints a line on standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Ends with exit code 1 and one sentence; the stack only for what nobody foresaw. */
export function failWithSentence(error: unknown): never {
  const isForeseen = [ConfigError, StartError, EmbeddedPostgresError, Problem].some((kind) => error instanceof kind);
  const unforeseen = error instanceof Error ? error.stack : undefined;
  const sentence = error instanceof Error ? error.message : String(error);
  process.stderr.write(`latchkey: ${isForeseen ? sentence : (unforeseen ?? sentence)}\n`);
  process.exit(1);
}
