import { homedir } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import { later, withExample } from './command.ts';

const actions = () => import('./actions/api.ts');

const profileOption = () =>
  new Option('--profile <file>', 'the file with the credentials of "latchkey login"')
    .env('LATCHKEY_PROFILE')
    .default(path.join(homedir(), '.config', 'latchkey', 'profile.json'));

/** `latchkey api …`: the admin API of this server or another. */
export function apiCommand(): Command {
  return new Command('api')
    .description('the admin API of a server, also a remote one: "latchkey api --help" lists its commands')
    .argument('[words...]', 'e.g. clients list')
    .addOption(new Option('--url <url>', 'the server').env('LATCHKEY_URL'))
    .addOption(
      new Option('--token <token>', 'prefer the environment variable: other processes can read a command line').env(
        'LATCHKEY_TOKEN',
      ),
    )
    .addOption(profileOption())
    .option('--json', 'the answers are JSON anyway; prints failures as JSON, too')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(later(async () => (await actions()).callApi));
}

/** `latchkey login`: stores the credentials of a service for `latchkey api`. */
export function loginCommand(): Command {
  const login = new Command('login')
    .description(
      'store the credentials of a service for "latchkey api"; its secret is asked for, or read from standard input',
    )
    .requiredOption('--url <url>', 'the server')
    .requiredOption('--client-id <id>', 'the service, e.g. that of "latchkey bootstrap"')
    .option('--scope <scopes>', 'request only these scopes')
    .addOption(profileOption())
    .option('--json', 'print JSON');
  return withExample(login, 'latchkey login --url http://localhost:3000 --client-id latchkey-admin').action(
    later(async () => (await actions()).login),
  );
}
