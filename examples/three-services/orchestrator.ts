import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

const { ISSUER: audience, IDENTITIES: issuer = 'http://localhost:4200', ...given } = process.env;
if (!audience) {
  console.error('Set ISSUER to the address of Latchkey.');
  process.exit(1);
}

/** Replaces the network: the address of each service. */
const addresses: Record<string, string> = { 'recommendation-engine': '10.0.1.50' };

// The key exists only in the memory of this process.
const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwk = await exportJWK(publicKey);
const kid = await calculateJwkThumbprint(jwk);

/** Publishes the keys that sign the identities for Latchkey (OpenID Connect Discovery). */
const published: Record<string, object> = {
  '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
  '/keys': { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] },
};
const server = createServer(({ url = '' }, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.writeHead(published[url] ? 200 : 404).end(JSON.stringify(published[url] ?? {}));
});
server.listen(Number(new URL(issuer).port), '127.0.0.1');
await once(server, 'listening');

/** Issues the identity of a service, for five minutes and for Latchkey only. */
function identityOf(service: string): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(String(audience))
    .setSubject(`service:${service}`)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
}

/**
 * Starts a service. It may request its identity over the channel that it inherits, which no other process has. Its environment has only the
 * listed variables of this process.
 */
function start(service: string): ChildProcess {
  const { PATH, NODE_OPTIONS, PORT, PLATFORM } = given;
  const variables = {
    PATH,
    NODE_OPTIONS,
    PORT,
    PLATFORM,
    ISSUER: audience,
    SERVICE: service,
    FROM: addresses[service],
  };
  const env = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
  const child = spawn(process.execPath, [`${service}.ts`], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', async (asked) => {
    if (asked === 'who am I?' && child.connected) child.send(await identityOf(service));
  });
  return child;
}

const platform = start('platform');
platform.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => platform.kill());
await new Promise<void>((ready) => platform.on('message', (said) => said === 'ready' && ready()));
for (const service of process.argv.slice(2)) await once(start(service), 'exit');
