import { sql } from 'kysely';
import type { Trx } from '../../../platform/database/index.ts';
import type { SessionRecord } from './reads.ts';

/** A session's data about a client, in oidc-provider's form. */
export type Authorization = { sid?: string; grantId?: string; persistsLogout?: true };

type ChangedClients = { kept: (Authorization & { client_id: string })[]; removed: string[] };

/** Only what this request changed, so that tabs do not overwrite each other's clients. */
export function changedClients(
  authorizations: Record<string, Authorization>,
  previous: SessionRecord | undefined,
): ChangedClients {
  const before = new Map(previous?.clients.map((client) => [client.client_id, client]));
  const all = Object.entries(authorizations).map(([client_id, authorization]) => ({ client_id, ...authorization }));
  const kept = all.filter(({ client_id, sid = null, grantId = null, persistsLogout = false }) => {
    const known = before.get(client_id);
    return !known || known.sid !== sid || known.grant_id !== grantId || known.persists_logout !== persistsLogout;
  });
  return { kept, removed: [...before.keys()].filter((client_id) => !authorizations[client_id]) };
}

/** Saves them within the transaction that saves the session. */
export async function saveSessionClients(
  trx: Trx,
  session_uid: string,
  { kept, removed }: ChangedClients,
): Promise<void> {
  for (const { client_id, sid = null, grantId: grant_id = null, persistsLogout: persists_logout = false } of kept) {
    await sql`insert into session_clients (session_uid, client_id, sid, grant_id, persists_logout)
      select ${session_uid}, id, ${sid}, ${grant_id}::uuid, ${persists_logout} from clients where client_id = ${client_id}
      on conflict (session_uid, client_id) do update set sid = excluded.sid, grant_id = excluded.grant_id,
        persists_logout = session_clients.persists_logout or excluded.persists_logout`.execute(trx);
  }
  for (const client_id of removed) {
    await trx
      .deleteFrom('session_clients')
      .where('session_uid', '=', session_uid)
      .where('client_id', '=', (eb) => eb.selectFrom('clients').select('id').where('client_id', '=', client_id))
      .execute();
  }
}
