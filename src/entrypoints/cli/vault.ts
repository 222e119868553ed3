import { Command } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/vault.ts');

const addresses = 'a server, if it is not the issuer: of several servers, name each';
const all = 'every server that the host of the issuer, or of --address, resolves to in DNS';

/** `latchkey vault …` */
export function vaultCommand(): Command {
  const vault = new Command('vault').description('the seal of the secrets');
  for (const each of [initialize(), status(), seal(), unseal(), rotate(), rekey()]) vault.addCommand(each);
  return vault;
}

function initialize(): Command {
  return command(
    'init',
    'initialize a vault whose key is split into shares (LATCHKEY_VAULT_SEAL=shamir); the shares are shown once',
    'latchkey vault init --shares 5 --threshold 3',
  )
    .option('--shares <number>', 'how many shares are created', '5')
    .option('--threshold <number>', 'how many shares unseal the secrets', '3')
    .action(later(async () => (await actions()).initialize));
}

function status(): Command {
  return command('status', 'show whether the secrets are sealed', 'latchkey vault status')
    .option('--address <url>', addresses, repeated, [])
    .option('--all', all)
    .action(later(async () => (await actions()).status));
}

function seal(): Command {
  return command(
    'seal',
    'seal the secrets: no server reads or writes one until they are unsealed',
    'latchkey vault seal',
  )
    .option('--yes', 'do not ask')
    .action(later(async () => (await actions()).seal));
}

function unseal(): Command {
  return command(
    'unseal',
    'unseal the secrets again; shares of the key, if needed, are read from standard input, one per line',
    'latchkey vault unseal',
  )
    .option('--address <url>', addresses, repeated, [])
    .option('--all', all)
    .action(later(async () => (await actions()).unseal));
}

function rotate(): Command {
  return command(
    'rotate',
    'create the key of a new term; the keys of existing versions are re-encrypted under it in the background',
    'latchkey vault rotate',
  ).action(later(async () => (await actions()).rotate));
}

function rekey(): Command {
  return command(
    'rekey',
    'replace the shares of the key; the current ones are read from standard input, one per line',
    'latchkey vault rekey --shares 5 --threshold 3',
  )
    .option('--shares <number>', 'how many shares are created', '5')
    .option('--threshold <number>', 'how many shares unseal the secrets', '3')
    .option('--no-verify', 'replace the shares without entering enough of the new ones again')
    .action(later(async () => (await import('./actions/vault-rekey.ts')).rekey));
}
