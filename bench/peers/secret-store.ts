import { createSecretKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { digest, type Sealed, seal, unseal } from '../../src/platform/crypto/index.ts';
import { rootKey } from '../installation.ts';
import { storedKey } from '../stored-keys.ts';
import { secretValue, storedSecret } from '../stored-secrets.ts';

// The simplest store of secrets with the answers of Vault's API: one query for each check, one insert for each event, nothing cached.
const [, , databaseUrl = '', amount = ''] = process.argv;
const key = createSecretKey(rootKey);

const tables = `
  create table tokens (id uuid primary key, digest bytea not null unique, name text not null, expires_at timestamptz not null, revoked_at timestamptz);
  create table rules (token_id uuid not null references tokens, action text not null, prefix text not null, primary key (token_id, action, prefix));
  create table secrets (id uuid primary key, path text not null unique, version integer not null, sealed_value bytea not null,
    created_at timestamptz not null, deleted_at timestamptz);
  create table audit_log (id uuid primary key, occurred_at timestamptz not null default now(), token_id uuid, action text not null,
    path text not null, version integer, outcome text not null, address text, user_agent text);
  create index on audit_log (occurred_at);
  create index on audit_log (path, occurred_at)`;

type Token = { id: string; expires_at: Date; revoked_at: Date | null };
type Secret = { id: string; version: number; sealed_value: Sealed; created_at: Date; deleted_at: Date | null };
type Outcome = 'read' | 'denied' | 'missing' | 'deleted';
type Result = { outcome: Outcome; token?: Token | undefined; secret?: Secret | undefined };

const statuses = { read: 200, denied: 403, missing: 404, deleted: 404 };
const prefix = '/v1/secret/data/';
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
await fill(Number(amount));
const server = createServer((request, response) => {
  answer(request).then(
    ({ status, body }) => {
      const text = JSON.stringify(body);
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    },
    () => response.writeHead(503).end(),
  );
}).listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ ready: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

async function answer({ headers, url = '', socket }: IncomingMessage): Promise<{ status: number; body: object }> {
  const path = url.slice(prefix.length);
  const { outcome, token, secret } = await read(String(headers['x-vault-token']), path);
  const data = outcome === 'read' && secret ? opened(path, secret) : undefined;
  await pool.query(
    `insert into audit_log (id, token_id, action, path, version, outcome, address, user_agent) values ($1, $2, 'read', $3, $4, $5, $6, $7)`,
    [randomUUID(), token?.id, path, secret?.version, outcome, socket.remoteAddress, headers['user-agent']],
  );
  if (!secret || !data) return { status: statuses[outcome], body: { errors: [outcome] } };
  const { created_at, version } = secret;
  const metadata = { created_time: created_at, custom_metadata: null, deletion_time: '', destroyed: false, version };
  const lease = { lease_id: '', renewable: false, lease_duration: 0 };
  const body = { request_id: randomUUID(), ...lease, data: { data, metadata }, wrap_info: null, warnings: null };
  return { status: 200, body: { ...body, auth: null } };
}

async function read(presented: string, path: string): Promise<Result> {
  const token = await first<Token>('select id, expires_at, revoked_at from tokens where digest = $1', [
    digest(presented),
  ]);
  if (!token || token.revoked_at || token.expires_at <= new Date()) return { outcome: 'denied', token };
  const rule = await first(
    `select from rules where token_id = $1 and action = 'read' and starts_with($2, prefix) limit 1`,
    [token.id, path],
  );
  if (!rule) return { outcome: 'denied', token };
  const columns = 'id, version, sealed_value, created_at, deleted_at';
  const secret = await first<Secret>(`select ${columns} from secrets where path = $1`, [path]);
  if (!secret) return { outcome: 'missing', token };
  return { outcome: secret.deleted_at ? 'deleted' : 'read', token, secret };
}

async function first<Row extends object>(text: string, values: unknown[]): Promise<Row | undefined> {
  return (await pool.query<Row>(text, values)).rows[0];
}

function opened(path: string, { id, sealed_value }: Secret): unknown {
  return JSON.parse(unseal(key, placeOf(path, id), sealed_value).toString());
}

function placeOf(path: string, id: string): [string, string, string] {
  return ['secrets', 'sealed_value', `${id}/${path}`];
}

/** As many tokens and secrets as Latchkey has. */
async function fill(most: number): Promise<void> {
  await pool.query(tables);
  const numbers = Array.from({ length: most }, (_, n) => n + 1);
  const ids = numbers.map(() => randomUUID());
  await pool.query(
    `insert into tokens (id, digest, name, expires_at)
      select id, digest, 'key', now() + interval '1 year' from unnest($1::uuid[], $2::bytea[]) as n(id, digest)`,
    [ids, numbers.map((n) => digest(storedKey(n)))],
  );
  await pool.query(`insert into rules select id, action, 'bench/' from tokens, unnest(array['read', 'write']) action`);
  const sealed = numbers.map((n, place) => seal(key, placeOf(storedSecret(n), ids[place] ?? ''), secretValue));
  await pool.query(
    `insert into secrets (id, path, version, sealed_value, created_at)
      select id, path, 1, sealed_value, now() from unnest($1::uuid[], $2::text[], $3::bytea[]) as n(id, path, sealed_value)`,
    [ids, numbers.map(storedSecret), sealed],
  );
  await pool.query('vacuum analyze');
}
