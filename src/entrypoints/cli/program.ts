import type { Command } from 'commander';
import { apiCommand, loginCommand } from './api.ts';
import { auditCommand } from './audit.ts';
import { clientCommand } from './client.ts';
import { type CommandHost, RootCommand } from './host.ts';
import { importCommand } from './import.ts';
import {
  applyCommand,
  bootstrapCommand,
  exportCommand,
  migrateCommand,
  serveCommand,
  setupLinkCommand,
  statusCommand,
} from './installation.ts';
import { keyCommand } from './key.ts';
import { resourceServerCommand } from './resource-server.ts';
import { grantCommand, restoreCheckCommand, revokeCommand, tokenCommand } from './revocation.ts';
import { runCommand } from './run.ts';
import { scanCommand } from './scan.ts';
import { secretCommand } from './secret.ts';
import { signInPolicyCommand } from './sign-in-policy.ts';
import { signingKeyCommand } from './signing-key.ts';
import { trustCommand } from './trust.ts';
import { withUsageCode } from './usage-code.ts';
import { userCommand } from './user.ts';
import { vaultCommand } from './vault.ts';

/** In the order of the help. */
const commands: readonly (() => Command)[] = [
  serveCommand,
  statusCommand,
  setupLinkCommand,
  bootstrapCommand,
  migrateCommand,
  applyCommand,
  exportCommand,
  importCommand,
  userCommand,
  clientCommand,
  resourceServerCommand,
  trustCommand,
  keyCommand,
  secretCommand,
  runCommand,
  scanCommand,
  vaultCommand,
  tokenCommand,
  grantCommand,
  revokeCommand,
  restoreCheckCommand,
  signInPolicyCommand,
  signingKeyCommand,
  auditCommand,
  loginCommand,
  apiCommand,
];

/** The `latchkey` command. Settings come from the environment, as for the server (.env.example). */
export function program(host: CommandHost): Command {
  const latchkey = new RootCommand('latchkey', host)
    .description('OAuth 2.0 and OpenID Connect authorization server for AI services.')
    .version(host.readVersion(), '-v, --version')
    .addHelpText(
      'after',
      '\nSettings are environment variables, the same as for the server; .env.example lists them.\n\nExample:\n  latchkey status',
    );
  // Everything after `api` belongs to it: no option there is one of ours.
  latchkey.enablePositionalOptions();
  for (const define of commands) latchkey.addCommand(define());
  return withUsageCode(latchkey);
}
