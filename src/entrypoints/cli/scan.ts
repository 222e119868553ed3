import type { Command } from 'commander';
import { command, later } from './command.ts';

/** `latchkey scan`: credentials in files. */
export function scanCommand(): Command {
  return command(
    'scan',
    'find credentials in files: those of Latchkey and of common providers. Nothing is sent anywhere, and no value is printed. Exits with 1 if it finds any',
    'latchkey scan src',
  )
    .argument('[path]', 'a folder or file', '.')
    .action(later(async () => (await import('./actions/scan.ts')).scan));
}
