import { createSetupLink } from '../../../domain/users/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { answer } from './output.ts';

export const setupLink = onInstallation(async ({ config, deps }: CommandContext, options: { json?: boolean }) => {
  const path = `/setup/${await createSetupLink(deps)}`;
  const url = config.issuer ? `${config.issuer}${path}` : path;
  answer(options, { url }, [url, 'It works for a day, until the first administrator is created.']);
});
