import type { TestDatabase } from './database.ts';

/** States that must never occur in the database, whatever was killed or ran concurrently; each query counts the violations. */
const invariants: Record<string, string> = {
  'a consumed code without a token': `select from authorization_codes c where consumed_at is not null
    and not exists (select from access_tokens t where t.family_id = c.family_id)
    and not exists (select from jwt_access_tokens t where t.family_id = c.family_id)`,
  'a token of a code that was not consumed': `select from authorization_codes c where consumed_at is null
    and exists (select from access_tokens t where t.family_id = c.family_id)`,
  'a family whose rotations are not those recorded': `select from refresh_families f where generation <>
    (select count(*) from audit_events e where e.action = 'refresh_token.rotated' and e.details ->> 'family_id' = f.id::text)`,
  'a token without a grant': `select from access_tokens t where grant_id is not null
    and not exists (select from grants g where g.id = t.grant_id)`,
  'a standing grant under a consent that was taken back': `select from grants g join consents c on c.id = g.consent_id
    where c.revoked_at is not null and g.revoked_at is null`,
  'a standing grant of a session that was ended': `select from grants g join sessions s on s.uid = g.session_uid
    where s.revoked_at is not null and g.revoked_at is null and not g.offline`,
  'a client secret without its event': `select from client_secrets s where not exists (select from audit_events e
    where e.action = 'client.secret.created' and e.details ->> 'secret_id' = s.id::text)`,
};

/** Names of violated invariants, with the number of rows; a test expects none. */
export async function brokenInvariants(database: TestDatabase): Promise<Record<string, number>> {
  const parts = Object.values(invariants).map((query, n) => `(select count(*)::int from (${query}) x) as i${n}`);
  const { rows } = await database.query(`select ${parts.join(', ')}`);
  const counts = Object.keys(invariants).map((name, n): [string, number] => [name, rows[0][`i${n}`]]);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
