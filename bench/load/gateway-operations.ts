import { mostConnections } from '../installation.ts';
import { storedKey } from '../stored-keys.ts';
import { anyOf, storedSecret } from '../stored-secrets.ts';
import { type Connection, requestText } from './connection.ts';

type Step = () => Promise<void>;
type Prepare = (
  connection: Connection,
  person: number,
  round: { keys: number; secrets: number },
) => Step | Promise<Step>;

const permission = 'database:read:products';
const forwardAuth = `/gateway/forward-auth?permission=database:read:{path.1}`;

/** The number of uncached keys, or of random secrets, that a connection has used. */
const met = new WeakMap<Connection, number>();

/** Requests of proxies and services to the gateway; each connection has its own key. */
export const gatewayOperations: Record<string, Prepare> = {
  'forward-auth': (connection, person) => repeating(connection, asProxy(connection, storedKey(person + 1))),
  // Each request uses a key that the node has not cached.
  'forward-auth, never met':
    (connection, person, { keys }) =>
    async () => {
      await sent(connection, asProxy(connection, storedKey((nextOf(connection, person) % keys) + 1)));
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
  // Each connection has its own key and reads its own secret, or one after the other; then all read one secret with one key.
  'secret read': (connection, person) => repeating(connection, asVaultClient(connection, person + 1, person + 1)),
  'secret read of random secrets':
    (connection, person, { secrets }) =>
    async () =>
      sent(connection, asVaultClient(connection, person + 1, anyOf(secrets, nextOf(connection, person)))),
  'secret read, one for all': (connection) => repeating(connection, asVaultClient(connection, 1, 1)),
};

/** Numbers that no other connection gets. */
function nextOf(connection: Connection, person: number): number {
  const used = (met.get(connection) ?? 0) + 1;
  met.set(connection, used);
  return used * mostConnections + person;
}

function asVaultClient({ origin }: Connection, key: number, secret: number): string {
  const headers = { 'x-vault-token': storedKey(key) };
  return requestText(origin, { method: 'GET', path: `/v1/secret/data/${storedSecret(secret)}`, headers });
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
