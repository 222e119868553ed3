import { Command } from 'commander';
import { readVersion } from '../../server/installation.ts';
import { apiCommand, loginCommand } from './api.ts';
import { applyCommand } from './apply.ts';
import { auditCommand } from './audit.ts';
import { bootstrapCommand } from './bootstrap.ts';
import { clientCommand } from './client.ts';
import { exportCommand } from './export.ts';
import { grantCommand } from './grant.ts';
import { keyCommand } from './key.ts';
import { migrateCommand } from './migrate.ts';
import { resourceServerCommand } from './resource-server.ts';
import { revokeCommand } from './revoke.ts';
import { serveCommand } from './serve.ts';
import { setupLinkCommand } from './setup-link.ts';
import { signingKeyCommand } from './signing-key.ts';
import { statusCommand } from './status.ts';
import { tokenCommand } from './token.ts';
import { userCommand } from './user.ts';

/** The `latchkey` command: one file a verb or noun. Settings come from the environment, as for the server (.env.example). */
export function program(): Command {
  const latchkey = new Command('latchkey')
    .description('OAuth 2.0 and OpenID Connect authorization server for AI services.')
    .version(readVersion(), '-v, --version')
    .showHelpAfterError('(latchkey --help shows what there is)')
    .addHelpText('after', '\nSettings are environment variables, the same as for the server; .env.example lists them.');
  const commands = [
    serveCommand(),
    statusCommand(),
    setupLinkCommand(),
    bootstrapCommand(),
    migrateCommand(),
    applyCommand(),
    exportCommand(),
    userCommand(),
    clientCommand(),
    resourceServerCommand(),
    keyCommand(),
    tokenCommand(),
    grantCommand(),
    revokeCommand(),
    signingKeyCommand(),
    auditCommand(),
    loginCommand(),
    apiCommand(),
  ];
  // What follows `api` is its own: no option there is one of ours.
  latchkey.enablePositionalOptions();
  for (const command of commands) latchkey.addCommand(command);
  return latchkey;
}
