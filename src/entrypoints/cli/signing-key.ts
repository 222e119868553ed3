import { Command } from 'commander';
import { command, later } from './command.ts';

const actions = () => import('./actions/signing-key.ts');

/** `latchkey signing-key …` */
export function signingKeyCommand(): Command {
  const signingKey = new Command('signing-key').description('the keys that sign tokens');
  signingKey
    .addCommand(
      command(
        'rotate',
        'publish a new key now, sign with it later, retire the old one after that; running servers notice by themselves',
        'latchkey signing-key rotate --alg RS256',
      )
        .option('--alg <algorithm>', 'ES256, EdDSA, RS256 or PS256', 'ES256')
        .option('--now', 'sign with it at once: verifiers that cached the old key set refuse new tokens for a while')
        .option('--leaked', 'as --now, and stop publishing the older keys: tokens that they signed are refused')
        .action(later(async () => (await actions()).rotate)),
    )
    .addCommand(
      command('list', 'list the signing keys and their states', 'latchkey signing-key list').action(
        later(async () => (await actions()).list),
      ),
    );
  return signingKey;
}
