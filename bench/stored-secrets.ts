import { createSecretKey } from 'node:crypto';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { sealVersion } from '../src/domain/secrets/envelope.ts';
import { Vault } from '../src/domain/secrets/index.ts';
import type { Keyring } from '../src/domain/secrets/keyring.ts';
import { openDatabase } from '../src/platform/database/index.ts';
import { rootKey } from './installation.ts';

const atOnce = 20_000;
const largePrime = 7_368_787;

/** The path of a stored secret, numbered from 1. */
export const storedSecret = (n: number): string => `bench/${n}`;

/** The value of every stored secret. */
export const secretValue = JSON.stringify({ username: 'shop', password: 'a password of usual length' });

/** Spreads over all stored secrets; none repeats before each was used once. */
export const anyOf = (secrets: number, use: number): number => ((use * largePrime) % secrets) + 1;

const insertion = `
  with n as (select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[]) as n(id, path, sealed_key, sealed_value)),
  made as (
    insert into secrets (id, path, current_version, max_versions, cas_required, custom_metadata, created_at, updated_at)
    select id, path, 1, 10, false, '{}', now(), now() from n
  )
  insert into secret_versions (secret_id, number, term, sealed_key, sealed_value, size, created_by_kind, created_at)
  select id, 1, $5, sealed_key, sealed_value, $6, 'system', now() from n`;

/** Fills the database of a running server with secrets that it can open: each is sealed for its row, as the server seals it. */
export async function storeSecrets(databaseUrl: string, secrets: number): Promise<number> {
  const started = performance.now();
  const { current } = await keyringOf(databaseUrl);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    let inserting: Promise<unknown> | undefined;
    for (let first = 1; first <= secrets; first += atOnce) {
      const last = Math.min(secrets, first + atOnce - 1);
      const values = [...sealedFrom(current, first, last), current.term, secretValue.length];
      // The next ones are sealed while PostgreSQL inserts these.
      await inserting;
      inserting = client.query(insertion, values);
    }
    await inserting;
    await client.query('vacuum analyze secrets, secret_versions');
    await client.query('checkpoint');
    process.stderr.write(`${secrets} secrets stored in ${Math.round((performance.now() - started) / 1000)} s\n`);
  } finally {
    await client.end();
  }
  return secrets;
}

async function keyringOf(url: string): Promise<Keyring> {
  const { db, close } = openDatabase({ url, poolSize: 1, preparedStatements: true });
  const vault = new Vault({ db, rootKey: createSecretKey(rootKey), now: () => new Date(), sealKind: 'static' });
  return vault.keyring().finally(close);
}

/** Ids, paths, sealed keys and sealed values. */
function sealedFrom(term: Keyring['current'], first: number, last: number): unknown[][] {
  const [ids, paths, keys, values]: [string[], string[], Buffer[], Buffer[]] = [[], [], [], []];
  for (let n = first; n <= last; n += 1) {
    const [secret_id, path] = [uuidv7(), storedSecret(n)];
    const { sealed_key, sealed_value } = sealVersion(term, { secret_id, path, number: 1 }, Buffer.from(secretValue));
    ids.push(secret_id);
    paths.push(path);
    keys.push(sealed_key);
    values.push(sealed_value);
  }
  return [ids, paths, keys, values];
}
