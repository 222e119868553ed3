import { api, jwtApi, standardInstallation } from './installation.ts';
import { type Answer, answerOf, type Latchkey } from './latchkey.ts';

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const apiKeyType = 'urn:latchkey:params:oauth:token-type:api-key';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** An API with patterns and short-lived tokens. */
export const data = 'https://data.example';
/** An API that accepts only bound tokens. */
export const bound = 'https://bound.example';
/** A disabled API. */
export const stopped = 'https://stopped.example';

/** With a client, `checker`, that may introspect the tokens of every API. */
export const exchangeInstallation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    {
      identifier: data,
      name: 'Data',
      access_token_ttl_seconds: 120,
      scopes: [{ name: 'database:read:*' }, { name: 'database:write:products' }, { name: 'email:send' }],
    },
    { identifier: bound, name: 'Vault', dpop_required: true, scopes: [{ name: 'read', default: true }] },
    { identifier: stopped, name: 'Old', enabled: false, scopes: [{ name: 'read' }] },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'checker',
      client_secret: 'the secret of the checker',
      grant_types: ['client_credentials'],
      introspects: [api, jwtApi, data, bound],
    },
  ],
};

type Given = { headers?: Record<string, string>; node?: string };

/** Exchanges an API key for an access token (RFC 8693), without other credentials. */
export async function exchangeKey(
  latchkey: Latchkey,
  key: string,
  parameters: Record<string, string> | [string, string][] = {},
  { headers = {}, node = latchkey.issuer }: Given = {},
): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: tokenExchange, subject_token: key, subject_token_type: apiKeyType });
  const given = new URLSearchParams(parameters);
  for (const name of new Set(given.keys())) body.delete(name);
  for (const [name, value] of given) body.append(name, value);
  const forwarded = { 'x-forwarded-host': new URL(latchkey.issuer).host };
  return answerOf(await fetch(`${node}/oauth/token`, { method: 'POST', body, headers: { ...forwarded, ...headers } }));
}

/** The status and error of a response. */
export const refusal = ({ status, body }: Answer): [status: number, error: string] => [status, body.error ?? 'none'];
