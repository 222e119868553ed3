import { sql } from 'kysely';
import { announceEverything, databaseTime, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { revokeKeysIn } from '../api-keys/index.ts';
import { appendEvent, detailsOfAction } from '../audit/index.ts';
import { countLive, revoke } from '../revocation/index.ts';
import { rotateSigningKey, type SigningKeysDeps, signingAlgs } from '../signing-keys/index.ts';
import { abandonLists } from '../status-lists/index.ts';
import { revokeJwtAccessTokens } from '../tokens/index.ts';
import { deleteEveryPasswordLink } from '../users/index.ts';
import type { ReapplyDeps } from './consequence.ts';
import { jumpEpochs, revokeOneTimeCredentials } from './store.ts';

export type CutDeps = ReapplyDeps & SigningKeysDeps;

/** The revocations of a restore for which there is no event. */
export type Cut = { signing_keys: string[]; jwt_access_tokens: number; one_time_credentials: number };

/** The steps of this restore that were done before. */
export async function stepsDone(deps: CutDeps, restore: string): Promise<{ cut: boolean; revokedAll: boolean }> {
  const steps = (await detailsOfAction(deps.db, 'restore.begun')).filter((details) => details.restore === restore);
  return {
    cut: steps.some(({ step }) => step === 'cut'),
    revokedAll: steps.some(({ step }) => step === 'revoke all'),
  };
}

/**
 * Revokes what no event names. Keys that were published after the backup are unknown here, and withdrawn keys were restored: all are
 * replaced. JWTs that were issued after it have no row and no index in a list: their lists are closed, and no list gets their number. Codes
 * that were used after it could be used once more.
 * Epochs do not change: opaque credentials from after the backup have no row here, whatever their epoch, and restored ones that were not
 * revoked stay active.
 *
 * The keys come first: a run that was killed before the rest rotates them again.
 */
export async function cut(deps: CutDeps, actor: Actor, restore: string): Promise<Cut> {
  const made: string[] = [];
  for (const alg of signingAlgs) {
    const input = { alg, leaked: true, activationSeconds: 0, retirementSeconds: 0 };
    made.push((await rotateSigningKey(deps, actor, input)).kid);
  }
  return deps.db.transaction().execute(async (trx) => {
    const occurred_at = deps.now();
    await abandonLists(trx);
    const jwt_access_tokens = await revokeJwtAccessTokens(trx, occurred_at);
    const one_time_credentials = await revokeOneTimeCredentials(trx, occurred_at);
    const ended = { signing_keys: made, jwt_access_tokens, one_time_credentials };
    await begun(trx, actor, { restore, step: 'cut', ...ended, occurred_at });
    await announceEverything(trx);
    return ended;
  });
}

const everything = { session: sql<boolean>`true`, family: sql<boolean>`true`, token: sql<boolean>`true` };

/** Revokes all restored credentials except secrets and passwords: all users sign in again, keys are created anew. */
export async function revokeAll(deps: CutDeps, actor: Actor, restore: string): Promise<Record<string, number>> {
  return deps.db.transaction().execute(async (trx) => {
    const live = await countLive(trx, { reach: everything }, deps.now());
    const handle = { issued_before: await databaseTime(trx) };
    const { revoked_at } = await revoke({ ...deps, db: trx }, actor, handle);
    // The clock of the machine that was backed up may have been ahead of this one's: no time is compared.
    await jumpEpochs(trx);
    const api_keys = await revokeKeysIn(trx, actor, { scope: { all: true }, revoked_at });
    const password_links = await deleteEveryPasswordLink(trx);
    const all = { ...live, api_keys, password_links };
    await announceEverything(trx);
    await begun(trx, actor, { restore, step: 'revoke all', ...all, occurred_at: deps.now() });
    return all;
  });
}

async function begun(
  trx: Trx,
  actor: Actor,
  { occurred_at, ...details }: { restore: string; step: string; occurred_at: Date } & Record<string, unknown>,
): Promise<void> {
  await appendEvent(trx, { actor, action: 'restore.begun', details, occurred_at });
}
