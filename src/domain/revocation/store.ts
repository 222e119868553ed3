import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type KeyScope, liveKeysIn } from '../api-keys/index.ts';
import type { Reach } from '../credentials/index.ts';
import { countLive as countLiveTokens, type LiveTokens, type Meant, ownedBy } from '../tokens/index.ts';

/** Live credentials by kind, API keys aside. */
export type LiveCredentials = LiveTokens & { sessions: number };

/** An owner of tokens. `id`: its public identifier; `row`: its key in the table. */
export type Owner = { kind: 'user' | 'client' | 'resource_server'; id: string; row: string };

/** A handle, resolved. */
export type Scope =
  | { reach: Reach }
  | { owner: Owner }
  | { before: Date }
  /** Tokens exchanged for these API keys. */
  | { keys: KeyScope };

type Condition = RawBuilder<boolean>;
const none: Condition = sql`false`;

/** Conditions on sessions `s`, refresh families `f` and access tokens `t`. */
type Conditions = Meant & { session: Condition };

function conditions(scope: Scope, now: Date): Conditions {
  if ('reach' in scope) {
    const { session = none, family = none, token = none } = scope.reach;
    return { session, family, token };
  }
  if ('keys' in scope)
    return { session: none, family: none, token: sql`t.api_key_id in ${liveKeysIn(scope.keys, now)}` };
  if ('before' in scope) {
    const { before } = scope;
    return {
      session: sql`coalesce(s.signed_in_at, s.login_at) <= ${before}`,
      family: sql`f.issued_at <= ${before}`,
      token: sql`t.issued_at <= ${before}`,
    };
  }
  return ofOwner(scope.owner);
}

function ofOwner({ kind, row }: Owner): Conditions {
  if (kind === 'resource_server') return { session: none, ...ownedBy({ audience: row }) };
  if (kind === 'client') return { session: none, ...ownedBy({ client_id: row }) };
  return { session: sql`s.user_id = ${row}`, ...ownedBy({ user_id: row }) };
}

/** Counts the live credentials in a scope. */
export async function countLive(db: Db, scope: Scope, now: Date): Promise<LiveCredentials> {
  const { session, ...tokens } = conditions(scope, now);
  const { sessions } = await db
    .selectFrom('standing_sessions as s')
    .select(sql<number>`count(*)::int`.as('sessions'))
    .where(session)
    .where('s.user_id', 'is not', null)
    .where('s.expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return { sessions, ...(await countLiveTokens(db, tokens, now)) };
}

/** Revokes everything issued to an owner until a time: the views `standing_*` compare the epoch. */
export async function markOwner(trx: Trx, { kind, row }: Owner, at: Date): Promise<void> {
  const marked = { tokens_valid_after: sql<Date>`greatest(tokens_valid_after, ${at})`, epoch: sql<number>`epoch + 1` };
  if (kind === 'user') await trx.updateTable('users').set(marked).where('id', '=', row).execute();
  else if (kind === 'client') await trx.updateTable('clients').set(marked).where('id', '=', row).execute();
  else await trx.updateTable('resource_servers').set(marked).where('identifier', '=', row).execute();
}

/** Locks clients before users, the order that every transaction keeps. */
export async function markAllOwners(trx: Trx, before: Date): Promise<void> {
  for (const table of ['clients', 'users'] as const) {
    const revoked_before = sql<Date>`greatest(revoked_before, ${before})`;
    // Older versions read only this column.
    const tokens_valid_after = sql<Date>`greatest(tokens_valid_after, ${before})`;
    await trx.updateTable(table).set({ revoked_before, tokens_valid_after }).execute();
  }
}
