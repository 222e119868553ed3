import { Command, Option } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/key.ts');
const example = '01a20d45-f640-7792-8384-4db68168b57f';

/** `latchkey key …` */
export function keyCommand(): Command {
  const key = new Command('key').description('API keys of services and users');
  for (const each of [createCommand(), listCommand(), ...changes()]) key.addCommand(each);
  return key;
}

function createCommand(): Command {
  return command(
    'create',
    'create an API key, shown once',
    'latchkey key create orders --client latchkey-demo --permission "database:read:*"',
  )
    .argument('<name>')
    .option('--client <client-id>', 'the client that owns the key')
    .option('--user <user>', 'the user who owns the key: a username, or id:…, username:… or email:…')
    .option('--environment <name>', 'the environment, which is part of the key', 'dev')
    .option('--permission <pattern>', 'a permission, e.g. "database:read:*"; may be repeated', repeated, [])
    .option('--role <role>', 'a role whose permissions the key has, too; may be repeated', repeated, [])
    .option('--tag <tag>', 'a label; may be repeated', repeated, [])
    .option('--restrictions <json>', 'e.g. {"ip_allowlist": ["10.0.1.50"], "rate_limit": "1000 requests/minute"}')
    .addOption(
      new Option('--risk <risk>', 'it expires after 30, 90 or 180 days')
        .choices(['high', 'medium', 'low'])
        .default('medium'),
    )
    .option('--expires-in-days <days>', 'another expiry')
    .option('--never-expires', 'no expiry')
    .action(later(async () => (await actions()).create));
}

function listCommand(): Command {
  return command('list', 'list the API keys, newest first, without their values', 'latchkey key list --environment dev')
    .option('--tag <tag>', 'only keys with this tag')
    .option('--environment <name>', 'only keys of this environment')
    .option('--client <client-id>', 'only keys of this client')
    .option('--user <user>', 'only keys of this user')
    .option('-n, --limit <number>', 'the maximum number of keys', '50')
    .option('--cursor <cursor>', 'the `next` of the previous page')
    .action(later(async () => (await actions()).list));
}

function changes(): Command[] {
  return [
    command('show', 'show an API key, without its value', `latchkey key show ${example}`)
      .argument('<key-id>')
      .action(later(async () => (await actions()).show)),
    command(
      'rotate',
      'create a new version of a key; the previous version is accepted until the overlap ends',
      `latchkey key rotate ${example} --overlap-seconds 3600`,
    )
      .argument('<key-id>')
      .option('--overlap-seconds <seconds>', 'how long the previous version is accepted (default: a day)')
      .option('--expires-in-days <days>', 'a new expiry; otherwise it does not change')
      .action(later(async () => (await actions()).rotate)),
    command('disable', 'disable a key', `latchkey key disable ${example}`)
      .argument('<key-id>')
      .action(later(async () => (await actions()).disable)),
    command('enable', 'enable a disabled key', `latchkey key enable ${example}`)
      .argument('<key-id>')
      .action(later(async () => (await actions()).enable)),
    command('revoke', 'revoke a key for good', `latchkey key revoke ${example}`)
      .argument('<key-id>')
      .option('--yes', 'do not ask')
      .action(later(async () => (await actions()).revoke)),
  ];
}
