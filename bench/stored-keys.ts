import pg from 'pg';
import { digest, formatCredential } from '../src/platform/crypto/index.ts';
import { service } from './installation.ts';

const prefix = 'sk_prod_';
const atOnce = 20_000;

/** A stored API key, numbered from 1. Built as in src/domain/api-keys/format.ts from a number, not random bytes: the load knows all. */
export const storedKey = (n: number): string => formatCredential(prefix, String(n).padStart(43, '0'));

const permissions = ['database:read:*', 'latchkey:verify', 'secrets:read:bench:*', 'secrets:write:bench:*'].map(
  (pattern) => ({ resource: null, pattern }),
);

const insertion = `
  with n as (select * from unnest($1::bigint[], $2::bytea[], $3::text[]) as n(n, digest, last_four)),
  minted as (
    insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions, metadata, created_at, updated_at)
    select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'key ' || n, 'prod', c.id, 'low', $4::json, '{}', '{}', now(), now()
    from n, clients c where c.client_id = $5
    returning id, name
  )
  insert into api_key_versions (digest, key_id, number, start, last_four, issued_at)
  select n.digest, minted.id, 1, $6, n.last_four, now() from n join minted on minted.name = 'key ' || n.n`;

/** Fills the database of a running server with keys of one service, which may read the database and verify other keys. */
export async function storeKeys(databaseUrl: string, keys: number): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const started = performance.now();
  try {
    for (let first = 1; first <= keys; first += atOnce) {
      const numbers = Array.from({ length: Math.min(atOnce, keys - first + 1) }, (_, n) => first + n);
      const texts = numbers.map(storedKey);
      const lastFours = texts.map((text) => text.slice(-4));
      const rights = JSON.stringify(permissions);
      const values = [numbers, texts.map(digest), lastFours, rights, service.client_id, `${prefix}0000`];
      await client.query(insertion, values);
    }
    await client.query('vacuum analyze api_keys, api_key_versions');
    await client.query('checkpoint');
    process.stderr.write(`${keys} keys stored in ${Math.round((performance.now() - started) / 1000)} s\n`);
  } finally {
    await client.end();
  }
  return keys;
}
