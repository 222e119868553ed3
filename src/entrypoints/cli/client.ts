import { Command, Option } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/client.ts');
const secretActions = () => import('./actions/client-secret.ts');

/** `latchkey client …` */
export function clientCommand(): Command {
  const client = new Command('client').description('applications and services');
  for (const each of [...registrations(), ...secrets()]) client.addCommand(each);
  return client;
}

function registrations(): Command[] {
  return [
    withMembers(
      command('create', 'register a client', 'latchkey client create billing --type service'),
      'the kind of application',
    ).action(later(async () => (await actions()).create)),
    command('list', 'list the clients', 'latchkey client list --type service')
      .option('--type <type>', 'only clients of this type: web, spa, native, service, agent or workload')
      .option('--registered-by <origin>', 'only clients registered by: operator, document, dynamic or trust')
      .option('--search <text>', 'only clients with this text in the client_id or name')
      .option('-n, --limit <number>', 'the maximum number of clients', '50')
      .option('--cursor <cursor>', 'the `next` of the previous page')
      .action(later(async () => (await actions()).list)),
    command('show', 'show a client', 'latchkey client show latchkey-demo')
      .argument('<client-id>')
      .action(later(async () => (await actions()).show)),
    withMembers(
      command(
        'update',
        'change a client; other settings do not change',
        'latchkey client update latchkey-demo --name "Demo"',
      ),
    )
      .option('--patch <json>', 'any members of the registration; null removes one, e.g. {"client_uri": null}')
      .action(later(async () => (await actions()).update)),
    command(
      'disable',
      'disable a client: it can no longer authenticate, and all its tokens are revoked',
      'latchkey client disable latchkey-demo',
    )
      .argument('<client-id>')
      .option('--yes', 'do not ask')
      .action(later(async () => (await actions()).disable)),
    command('enable', 'enable a client; tokens from before stay revoked', 'latchkey client enable latchkey-demo')
      .argument('<client-id>')
      .action(later(async () => (await actions()).enable)),
  ];
}

function secrets(): Command[] {
  return [
    command(
      'add-secret',
      'add a secret, shown once; the other secrets remain valid',
      'latchkey client add-secret latchkey-demo --label "spring 2027" --expires-in-days 90',
    )
      .argument('<client-id>')
      .option('--label <label>', 'a name for the secret')
      .option('--expires-in-days <days>', 'when it expires')
      .option('--secret-stdin', 'read the secret from standard input instead of generating one')
      .action(later(async () => (await secretActions()).add)),
    command(
      'list-secrets',
      'list the secrets of a client, without their values',
      'latchkey client list-secrets latchkey-demo',
    )
      .argument('<client-id>')
      .action(later(async () => (await secretActions()).list)),
    command(
      'revoke-secret',
      'revoke one secret of a client; it is refused at once',
      'latchkey client revoke-secret latchkey-demo 1',
    )
      .argument('<client-id>')
      .argument('<secret>', 'its number or id: latchkey client list-secrets')
      .option('--yes', 'do not ask')
      .action(later(async () => (await secretActions()).revoke)),
  ];
}

/** The members of a registration with their own option; the type is chosen at registration only. */
function withMembers(made: Command, types?: string): Command {
  made.argument('<client-id>');
  if (types)
    made.addOption(new Option('--type <type>', types).choices(['web', 'spa', 'native', 'service']).default('web'));
  return made
    .option('--name <name>', 'the name shown to users')
    .option('--redirect-uri <uri>', 'a redirect URI; may be repeated', repeated, [])
    .option('--scope <scopes>', 'OpenID Connect scopes it may request, e.g. "openid profile email"')
    .option(
      '--resource <identifier=scopes>',
      'an API and the scopes it may request there, e.g. "https://api.example=read write"; may be repeated',
      repeated,
      [],
    )
    .option(
      '--introspects <identifier>',
      'an API whose tokens it may introspect: itself, or one it acts for; may be repeated',
      repeated,
      [],
    )
    .option(
      '--cors-origin <origin>',
      'an origin whose pages may call the OAuth endpoints, e.g. "capacitor://localhost"; may be repeated',
      repeated,
      [],
    )
    .option('--owner-user <user>', 'the user who is responsible for it: a username, or id:…, username:… or email:…')
    .option('--owner-client <client-id>', 'the client that is responsible for it')
    .addOption(
      new Option('--risk <risk>', 'its secrets expire after 30, 90 or 180 days by default').choices([
        'high',
        'medium',
        'low',
      ]),
    )
    .option(
      '--allow <methods>',
      'the methods that its users sign in with, e.g. "passkey,provider"; all: any that the sign-in policy allows',
    )
    .option('--first-party', 'users are not asked for consent')
    .option('--no-claims-in-id-token', 'leave name, e-mail address and groups out of ID tokens; userinfo has them')
    .option('--id-token-alg <algorithm>', 'how its ID tokens are signed: RS256 (default), PS256, ES256 or EdDSA');
}
