import { type NewKeys, type RekeyState, Vault } from '../../../domain/secrets/index.ts';
import { conflict } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isTerminal, readSecrets } from './input.ts';
import { answer, note } from './output.ts';
import { UsageError } from './usage.ts';

type Options = { json?: boolean; shares: string; threshold: string; verify: boolean };

/**
 * Replaces the shares at this terminal: enough of the present ones allow it, and enough of the new ones must be entered again before they
 * are valid. Through a pipe the new ones cannot be entered again, so `--no-verify` is required.
 */
export const rekey = onInstallation(
  async (place: CommandContext, options: Options) => {
    const { shares, threshold, verify } = options;
    if (verify && !isTerminal())
      throw new UsageError('Add --no-verify to replace the shares without entering enough of the new ones again.');
    const { database, rootKey, now } = place.installation;
    const { rekey: attempt } = new Vault({ db: database.db, rootKey, now, sealKind: place.config.vaultSeal });
    await attempt.start(place.actor, { shares: Number(shares), threshold: Number(threshold), mustVerify: verify });
    try {
      const made = await givePresent(attempt);
      answer(options, shown(made, Number(threshold)), wordsOf(made, Number(threshold)));
      if (made.verification_nonce !== undefined) await giveBack(attempt, made.verification_nonce, Number(threshold));
      await made.whenShown?.();
      if (!options.json) note('From now on only the new shares unseal the secrets.');
    } finally {
      attempt.cancel();
    }
  },
  { shares: '--shares', threshold: '--threshold' },
);

type Attempt = Vault['rekey'];

async function givePresent(attempt: Attempt): Promise<NewKeys> {
  const { nonce, required } = await mustBeUnderWay(attempt);
  for (const text of await readSecrets('Present share of the key: ', { atTerminal: required })) {
    const made = await attempt.takeShare({ nonce, text });
    if (made) return made;
  }
  const { progress } = await mustBeUnderWay(attempt);
  throw new UsageError(
    `Give ${required} different present shares on standard input, one on each line; ${progress} came.`,
  );
}

async function mustBeUnderWay(attempt: Attempt): Promise<RekeyState> {
  const state = await attempt.state();
  if (!state) throw conflict('No replacement of shares is in progress.');
  return state;
}

async function giveBack(attempt: Attempt, nonce: string, threshold: number): Promise<void> {
  for (const text of await readSecrets('New share of the key: ', { atTerminal: threshold }))
    if (await attempt.verify({ nonce, text })) return;
  throw new UsageError(`Give ${threshold} different new shares. The present ones stay.`);
}

const shown = ({ keys }: NewKeys, threshold: number) => ({
  keys: keys.map((key) => key.toString('base64')),
  threshold,
});

function wordsOf({ keys, verification_nonce }: NewKeys, threshold: number): string[] {
  return [
    'The new shares of the key, shown only this once. Give each to a different person:',
    ...keys.map((key, n) => `  ${n + 1}: ${key.toString('base64')}`),
    `Any ${threshold} of them unseal the secrets${verification_nonce ? ', once as many were entered again:' : '.'}`,
  ];
}
