import type { Command } from 'commander';
import { type CommandHost, RootCommand } from './host.ts';
import { withUsageCode } from './usage-code.ts';

/** One file a verb or noun, in the order of the help. Each loads what it needs, and only when it is asked for. */
const commands: Record<string, () => Promise<Command>> = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  'setup-link': async () => (await import('./setup-link.ts')).setupLinkCommand(),
  bootstrap: async () => (await import('./bootstrap.ts')).bootstrapCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  apply: async () => (await import('./apply.ts')).applyCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  user: async () => (await import('./user.ts')).userCommand(),
  client: async () => (await import('./client.ts')).clientCommand(),
  'resource-server': async () => (await import('./resource-server.ts')).resourceServerCommand(),
  key: async () => (await import('./key.ts')).keyCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
  grant: async () => (await import('./grant.ts')).grantCommand(),
  revoke: async () => (await import('./revoke.ts')).revokeCommand(),
  'restore-check': async () => (await import('./restore-check.ts')).restoreCheckCommand(),
  'signing-key': async () => (await import('./signing-key.ts')).signingKeyCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  login: async () => (await import('./api.ts')).loginCommand(),
  api: async () => (await import('./api.ts')).apiCommand(),
};

/**
 * The `latchkey` command. Settings come from the environment, as for the server (.env.example).
 *
 * @param args what was typed: where it begins with the name of a command, that command alone is loaded
 */
export async function program(host: CommandHost, args: readonly string[] = []): Promise<Command> {
  const latchkey = new RootCommand('latchkey', host)
    .description('OAuth 2.0 and OpenID Connect authorization server for AI services.')
    .version(host.readVersion(), '-v, --version')
    .showHelpAfterError('(latchkey --help shows what there is)')
    .addHelpText('after', '\nSettings are environment variables, the same as for the server; .env.example lists them.');
  // What follows `api` is its own: no option there is one of ours.
  latchkey.enablePositionalOptions();
  for (const load of chosen(args)) latchkey.addCommand(await load());
  return withUsageCode(latchkey);
}

function chosen([first = '']: readonly string[]): (() => Promise<Command>)[] {
  if (['-v', '--version'].includes(first)) return [];
  const load = Object.hasOwn(commands, first) ? commands[first] : undefined;
  return load ? [load] : Object.values(commands);
}
