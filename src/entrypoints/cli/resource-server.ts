import { Command } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/resource-server.ts');

/** `latchkey resource-server …` */
export function resourceServerCommand(): Command {
  const resourceServer = new Command('resource-server').description('protected APIs');
  resourceServer
    .addCommand(
      command(
        'create',
        'register a protected API',
        'latchkey resource-server create https://api.example --scope "read=Read your orders"',
      )
        .argument('<identifier>', 'its URI, which becomes the audience of its tokens')
        .option('--name <name>', 'the name shown to users')
        .option('--scope <name=description>', 'a scope and its description for users; may be repeated', repeated, [])
        .option('--format <format>', 'the format of its access tokens: opaque or jwt', 'opaque')
        .option('--assignment-required', 'users also need a role that allows the scope')
        .option('--allow <methods>', 'the methods that users must have signed in with, e.g. "passkey,provider"')
        .option(
          '--open-to <clients>',
          'the clients that may request its open scopes from users: registered, documented or anyone',
          'registered',
        )
        .option(
          '--open <scope>',
          'a scope that is open to clients that no operator registered; may be repeated',
          repeated,
          [],
        )
        .action(later(async () => (await actions()).create)),
    )
    .addCommand(
      command('list', 'list the protected APIs', 'latchkey resource-server list')
        .option('--search <text>', 'only APIs with this text in the identifier or name')
        .option('-n, --limit <number>', 'the maximum number of APIs', '50')
        .option('--cursor <cursor>', 'the `next` of the previous page')
        .action(later(async () => (await actions()).list)),
    )
    .addCommand(
      command('show', 'show a protected API', 'latchkey resource-server show https://api.example')
        .argument('<identifier>')
        .action(later(async () => (await actions()).show)),
    );
  return resourceServer;
}
