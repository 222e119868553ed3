import { Command } from 'commander';
import { z } from 'zod';
import {
  listSigningKeys,
  longestTokenSeconds,
  rotateSigningKey,
  signingAlgs,
  stateOf,
} from '../../domain/signing-keys/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { parsed } from './input.ts';
import { answer, columns } from './output.ts';

type RotateOptions = { json?: boolean; alg: string; now?: boolean; leaked?: boolean };

/** `latchkey signing-key …` */
export function signingKeyCommand(): Command {
  const signingKey = new Command('signing-key').description('the keys that sign tokens');
  signingKey
    .addCommand(
      command(
        'rotate',
        'publish a new key now, sign with it later, drop the old one later still; running servers notice by themselves',
      )
        .option('--alg <algorithm>', signingAlgs.join(', '), signingAlgs[0])
        .option('--now', 'sign with it at once: verifiers that cached the old set refuse tokens for a while')
        .option('--leaked', 'as --now, and the older keys are no longer published: what they signed is refused')
        .action(onInstallation(rotate)),
    )
    .addCommand(command('list', 'list the keys and their states').action(onInstallation(list)));
  return signingKey;
}

async function rotate({ config, installation, deps, actor }: Workplace, options: RotateOptions): Promise<void> {
  const alg = parsed(z.enum(signingAlgs, `must be one of ${signingAlgs.join(', ')}`), options.alg, '--alg');
  const activationSeconds = options.now ? 0 : config.keyActivationSeconds;
  const { leaked = false } = options;
  const input = { alg, leaked, activationSeconds, retirementSeconds: longestTokenSeconds };
  const made = await rotateSigningKey({ ...deps, rootKey: installation.rootKey }, actor, input);
  const { previous_expires_at } = made;
  // The second is its name of the version before.
  answer(options, { ...made, older_keys_retire_at: previous_expires_at }, [
    `Published ${alg} key ${made.kid}.`,
    `It signs from ${made.signs_from.toISOString()}; older ${alg} keys stay published until ${previous_expires_at.toISOString()}.`,
  ]);
}

async function list({ deps }: Workplace, options: { json?: boolean }): Promise<void> {
  const keys = await listSigningKeys(deps.db);
  const views = keys.map((key) => ({ ...key, state: stateOf(key, keys, deps.now()) }));
  const rows = views.map(({ kid, alg, state, signs_from, retires_at }) => [
    kid,
    alg,
    state,
    `signs from ${signs_from.toISOString()}`,
    retires_at ? `retires ${retires_at.toISOString()}` : '',
  ]);
  answer(options, { signing_keys: views }, columns(rows));
}
