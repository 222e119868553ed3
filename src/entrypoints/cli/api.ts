import { Command, Option } from 'commander';
import { action } from './command.ts';
import { readSecret } from './input.ts';
import { answer } from './output.ts';
import { defaultProfile, keepProfile, type RemoteOptions, remoteFrom } from './remote-server.ts';

const profileOption = () =>
  new Option('--profile <file>', 'where the credentials of "latchkey login" are')
    .env('LATCHKEY_PROFILE')
    .default(defaultProfile);

/** `latchkey api …`: the admin API of a server, also of one elsewhere. */
export function apiCommand(): Command {
  return new Command('api')
    .description('the admin API of a server, also of one elsewhere: "latchkey api --help" lists what there is')
    .argument('[words...]', 'e.g. clients list')
    .addOption(new Option('--url <url>', 'the server').env('LATCHKEY_URL'))
    .addOption(
      new Option('--token <token>', 'better in the environment: other processes can read a command line').env(
        'LATCHKEY_TOKEN',
      ),
    )
    .addOption(profileOption())
    .option('--json', 'it answers in JSON anyway')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(action(run));
}

async function run(words: string[], options: RemoteOptions): Promise<void> {
  // Loaded here: the other commands start faster without every room.
  const { remoteCommands } = await import('./remote.ts');
  await remoteCommands(remoteFrom(options)).parseAsync(words.length > 0 ? words : ['--help'], { from: 'user' });
}

type LoginOptions = { json?: boolean; url: string; clientId: string; scope?: string; profile: string };

/** `latchkey login`: keeps the credentials of a service for `latchkey api`. */
export function loginCommand(): Command {
  return new Command('login')
    .description(
      'keep the credentials of a service for "latchkey api"; its secret is asked for, or read from standard input',
    )
    .requiredOption('--url <url>', 'the server')
    .requiredOption('--client-id <id>', 'the service, e.g. of "latchkey bootstrap"')
    .option('--scope <scopes>', 'ask for no more than this')
    .addOption(profileOption())
    .option('--json', 'answer as JSON')
    .action(action(login));
}

async function login(options: LoginOptions): Promise<void> {
  const { url, clientId: client_id, scope, profile } = options;
  const client_secret = (await readSecret('Client secret: ')) ?? '';
  await keepProfile(profile, { url: url.replace(/\/$/, ''), client_id, client_secret, ...(scope && { scope }) });
  answer(options, { url, client_id, profile }, [`Logged in at ${url} as ${client_id}. Kept in ${profile}.`]);
}
