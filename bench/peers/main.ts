import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import type { Context, Next } from 'koa';
import Provider, { type JWK } from 'oidc-provider';
import { rsaApp, service, webApp } from '../installation.ts';
import { allowed, peerConfiguration } from './configuration.ts';
import { memoryAdapter } from './memory-adapter.ts';
import { openPostgresAdapter } from './postgres-adapter.ts';

// One server process: `main.ts` in memory, `main.ts postgres://…` with the straightforward adapter.
const [, , databaseUrl] = process.argv;
const adapter = databaseUrl ? await openPostgresAdapter(databaseUrl) : memoryAdapter;
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const signingKeys = await Promise.all(
  ['ES256', 'RS256'].map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), kid: `the key of ${alg}`, alg, use: 'sig' } as JWK;
  }),
);
const provider = new Provider(issuer, peerConfiguration(adapter, signingKeys));
for (const client of [webApp, rsaApp, { ...service, redirect_uris: [], response_types: [] }])
  await adapter('Client').upsert(client.client_id, client, 0);
provider.use(signInAtOnce);
server.on('request', provider.callback());
process.send?.({ ready: issuer });

/** Replaces pages: every visitor is signed in and allows what the benchmark requests. */
async function signInAtOnce(ctx: Context, next: Next): Promise<void> {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { params, uid } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = new provider.Grant({ accountId: `person-${uid}`, clientId: String(params.client_id) });
  grant.addOIDCScope(allowed.openid);
  grant.addResourceScope(allowed.api.identifier, allowed.api.scope);
  const result = { login: { accountId: `person-${uid}` }, consent: { grantId: await grant.save() } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
}
