import { Command, Option } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/secret.ts');
const importing = () => import('./actions/secret-import.ts');
const pathArgument = 'its path, such as database/prod';

/** `latchkey secret …` */
export function secretCommand(): Command {
  const secret = new Command('secret').description('passwords, keys and other values that services read');
  for (const each of [
    put(),
    bring(),
    get(),
    list(),
    versions(),
    consumers(),
    generate(),
    find(),
    rollback(),
    remove(),
    restore(),
    destroy(),
  ])
    secret.addCommand(each);
  return secret;
}

function put(): Command {
  return command(
    'put',
    'write a new version of a secret, with the value from standard input or a file',
    'latchkey secret put database/prod < password.txt',
  )
    .argument('<path>', pathArgument)
    .option('--file <file>', 'read the value from this file')
    .option('--object', 'the value is a JSON object, whose members are parts of the secret')
    .option('--cas <version>', 'write only if this version is current; 0: if there is none')
    .option('--ttl <seconds>', 'how long the version can be read')
    .action(later(async () => (await actions()).put));
}

function bring(): Command {
  return command(
    'import',
    'write the variables of a .env file, or the members of a JSON or YAML file, as the parts of one secret; or every secret of another Vault, with its versions',
    'latchkey secret import shop/app --file .env',
  )
    .argument('[path]', 'the path of the secret, or the folder for the secrets of a Vault')
    .option('--file <file>', 'the file; .json and .yaml are read as such, others as variables')
    .option('--vault <url>', 'another Vault, with KV version 2; its token is in VAULT_TOKEN')
    .addOption(new Option('--vault-token <token>', 'a token for it').env('VAULT_TOKEN').hideHelp())
    .option('--mount <mount>', 'where its secrets are', 'secret')
    .option('--from <folder>', 'only the secrets in this folder of it', '')
    .action(later(async () => (await importing()).bring));
}

function get(): Command {
  return command('get', 'print the value of a secret; the read is recorded', 'latchkey secret get database/prod')
    .argument('<path>', pathArgument)
    .option('--version <number>', 'an earlier version')
    .option('--part <name>', 'one part of the value')
    .option('--reason <text>', 'why it is read, for the audit log')
    .action(later(async () => (await actions()).get));
}

function list(): Command {
  return command('list', 'list secrets, without values', 'latchkey secret list --prefix database/')
    .option('--prefix <text>', 'only secrets whose path begins with this')
    .option('--due', 'only secrets that are due for rotation')
    .option('-n, --limit <number>', 'the maximum number of secrets', '50')
    .option('--cursor <cursor>', 'the `next` of the previous page')
    .action(later(async () => (await actions()).list));
}

function versions(): Command {
  return command('versions', 'list the versions of a secret', 'latchkey secret versions database/prod')
    .argument('<path>', pathArgument)
    .action(later(async () => (await actions()).versions));
}

function consumers(): Command {
  return command(
    'consumers',
    'list who read a secret in the last days, by version',
    'latchkey secret consumers database/prod --version 2',
  )
    .argument('<path>', pathArgument)
    .option('--version <number>', 'only readers of this version')
    .option('--days <number>', 'how far back', '7')
    .action(later(async () => (await actions()).consumers));
}

function generate(): Command {
  return command(
    'generate',
    'generate a value as a new version, without showing it; the first version creates the secret',
    'latchkey secret generate database/prod --kind password --length 40',
  )
    .argument('<path>', pathArgument)
    .option('--kind <kind>', 'password, random, key_pair or certificate', 'password')
    .option('--part <name>', 'its name; those of key pairs and certificates begin with it', 'value')
    .option('--length <number>', 'for a password: the number of characters')
    .option('--symbols', 'for a password: also use characters such as "!"')
    .option('--bytes <number>', 'for random: the number of bytes')
    .option('--encoding <encoding>', 'for random: base64url, base64 or hex')
    .option('--algorithm <name>', 'for keys: ed25519 (not for certificates), ec_p256 or rsa_3072')
    .option('--common-name <name>', 'for a certificate: the common name of its subject')
    .option('--dns-name <name>', 'for a certificate: a DNS name; may be repeated', repeated, [])
    .option('--days <number>', 'for a certificate: how long it is valid')
    .option('--cas <version>', 'the version that must be current; 0: none')
    .option('--ttl <seconds>', 'how long this version can be read')
    .action(later(async () => (await import('./actions/secret-generation.ts')).generate));
}

function find(): Command {
  return command(
    'find',
    'find the secrets that have a given value, such as a leaked one; it is read from standard input',
    'latchkey secret find < leaked.txt',
  ).action(later(async () => (await actions()).find));
}

function rollback(): Command {
  return command(
    'rollback',
    'write the value of an earlier version as a new version',
    'latchkey secret rollback database/prod --to 1',
  )
    .argument('<path>', pathArgument)
    .requiredOption('--to <version>', 'the version whose value is written again')
    .action(later(async () => (await actions()).rollback));
}

function remove(): Command {
  return command('delete', 'delete a version; it can be undeleted', 'latchkey secret delete database/prod --version 1')
    .argument('<path>', pathArgument)
    .option('--version <number>', 'which one; default: the current one')
    .action(later(async () => (await actions()).remove));
}

function restore(): Command {
  return command(
    'undelete',
    'make a deleted or expired version readable again',
    'latchkey secret undelete database/prod --version 1',
  )
    .argument('<path>', pathArgument)
    .option('--version <number>', 'which one; default: the current one')
    .action(later(async () => (await actions()).restore));
}

function destroy(): Command {
  return command(
    'destroy',
    'destroy a version, or a secret with all of its versions, permanently',
    'latchkey secret destroy database/prod --version 1',
  )
    .argument('<path>', pathArgument)
    .option('--version <number>', 'only this version')
    .option('--yes', 'do not ask')
    .action(later(async () => (await actions()).destroy));
}
