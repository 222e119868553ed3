import type { Command } from 'commander';
import { createSetupLink } from '../../domain/users/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { answer } from './output.ts';

/** `latchkey setup-link`: another one-time link to create the first administrator. */
export function setupLinkCommand(): Command {
  return command('setup-link', 'make a new one-time link to create the first administrator').action(
    onInstallation(setupLink),
  );
}

async function setupLink({ config, deps }: Workplace, options: { json?: boolean }): Promise<void> {
  const path = `/setup/${await createSetupLink(deps)}`;
  const url = config.issuer ? `${config.issuer}${path}` : path;
  answer(options, { url }, [url, 'It works for a day, until the first administrator is made.']);
}
