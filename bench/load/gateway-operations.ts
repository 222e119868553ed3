import { mostConnections } from '../installation.ts';
import { storedKey } from '../stored-keys.ts';
import { type Connection, requestText } from './connection.ts';

type Step = () => Promise<void>;
type Prepare = (connection: Connection, person: number, round: { keys: number }) => Step | Promise<Step>;

const permission = 'database:read:products';
const forwardAuth = `/gateway/forward-auth?permission=database:read:{path.1}`;

/** The number of uncached keys that a connection has used. */
const met = new WeakMap<Connection, number>();

/** Requests of proxies and services to the gateway; each connection has its own key. */
export const gatewayOperations: Record<string, Prepare> = {
  'forward-auth': (connection, person) => repeating(connection, asProxy(connection, storedKey(person + 1))),
  // Each request uses a key that the node has not cached.
  'forward-auth, never met':
    (connection, person, { keys }) =>
    async () => {
      const used = (met.get(connection) ?? 0) + 1;
      met.set(connection, used);
      await sent(connection, asProxy(connection, storedKey(((used * mostConnections + person) % keys) + 1)));
    },
  verify: (connection, person) => {
    const key = storedKey(person + 1);
    const headers = { 'x-api-key': key, 'content-type': 'application/json' };
    const body = JSON.stringify({ key, permission, ip: '10.0.1.50' });
    return repeating(
      connection,
      requestText(connection.origin, { method: 'POST', path: '/gateway/verify', headers, body }),
    );
  },
  // Each connection reads its own secret with its own key; then all read one secret with one key.
  'secret read': (connection, person) => readingSecret(connection, { person, name: `own-${person}` }),
  'secret read, one for all': (connection) => readingSecret(connection, { person: 0, name: 'shared' }),
};

/** Reads a secret as Vault's clients do, after it was written. */
async function readingSecret(connection: Connection, { person, name }: { person: number; name: string }) {
  const { origin } = connection;
  const headers = { 'x-vault-token': storedKey(person + 1) };
  const path = `/v1/secret/data/bench/${name}`;
  const body = JSON.stringify({ data: { username: 'shop', password: 'a password of usual length' } });
  const json = { ...headers, 'content-type': 'application/json' };
  await sent(connection, requestText(origin, { method: 'POST', path, headers: json, body }));
  return repeating(connection, requestText(origin, { method: 'GET', path, headers }));
}

function asProxy({ origin }: Connection, key: string): string {
  const headers = { 'x-api-key': key, 'x-original-uri': '/products/42?page=2', 'x-original-method': 'GET' };
  return requestText(origin, { method: 'GET', path: forwardAuth, headers });
}

function repeating(connection: Connection, request: string): Step {
  return () => sent(connection, request);
}

async function sent(connection: Connection, request: string): Promise<void> {
  const { status, body } = await connection.send(request);
  if (status !== 200 || body.includes('"valid":false')) throw new Error(`answered ${status}: ${body}`);
}
