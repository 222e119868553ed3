import type { Snippet } from '../../records/page-shapes.ts';
import { shellWord } from '../../records/shell-word.ts';
import { type Client, usesSecret } from './client.ts';

/**
 * Programs that sign in or get tokens as this client, one for each framework that fits its type. Their secret comes from the
 * environment. The id is quoted: anyone who may register clients chooses it, and an administrator pastes these lines.
 */
export function quickstartOf(issuer: string, client: Client): Snippet[] {
  const isForItself = client.type === 'service' || client.type === 'workload';
  const api = Object.keys(isForItself ? client.service_permissions : client.resources)[0];
  if (client.type === 'workload') return [workloadRequest(issuer, api)];
  const facts = { issuer, client_id: client.client_id, api, secret: usesSecret(client) };
  if (client.type === 'service') return [curl(facts), node(facts), python(facts), go(facts)];
  if (client.type === 'spa') return [browser(facts)];
  if (client.type === 'native') return [device(facts)];
  return [nextJs(facts), express(facts), fastApi(facts)];
}

/** How a workload gets a token with that of its issuer (RFC 7523 §2.1). */
export const workloadRequest = (issuer: string, api = 'https://api.example'): Snippet => ({
  label: 'curl',
  text: [
    `curl ${issuer}/oauth/token \\`,
    '  -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer \\',
    '  --data-urlencode assertion@token.jwt \\',
    `  -d resource=${shellWord(api)}`,
  ].join('\n'),
});

/** A string literal of JavaScript, Python and Go. */
const literal = (text: string) => JSON.stringify(text);

type Facts = { issuer: string; client_id: string; api: string | undefined; secret: boolean };

const nextJs = ({ issuer, client_id }: Facts): Snippet => ({
  label: 'Next.js',
  text: `# .env.local
AUTH_SECRET=          # npx auth secret
AUTH_LATCHKEY_ISSUER=${issuer}
AUTH_LATCHKEY_ID=${shellWord(client_id)}
AUTH_LATCHKEY_SECRET= # the client secret

// auth.ts
import NextAuth from 'next-auth';

export const { handlers, auth, signIn, signOut } = NextAuth({
  providers: [{
    id: 'latchkey',
    name: 'Latchkey',
    type: 'oidc',
    issuer: process.env.AUTH_LATCHKEY_ISSUER,
    clientId: process.env.AUTH_LATCHKEY_ID,
    clientSecret: process.env.AUTH_LATCHKEY_SECRET,
  }],
});`,
});

const express = ({ issuer, client_id }: Facts): Snippet => ({
  label: 'Express',
  text: `import { auth } from 'express-openid-connect';

app.use(auth({
  issuerBaseURL: '${issuer}',
  clientID: ${literal(client_id)},
  clientSecret: process.env.CLIENT_SECRET,
  baseURL: 'https://app.example',
  secret: process.env.SESSION_SECRET,
  authorizationParams: { response_type: 'code', scope: 'openid profile email' },
}));`,
});

const fastApi = ({ issuer, client_id }: Facts): Snippet => ({
  label: 'FastAPI',
  text: `from authlib.integrations.starlette_client import OAuth

oauth = OAuth()
oauth.register(
    'latchkey',
    server_metadata_url='${issuer}/.well-known/openid-configuration',
    client_id=${literal(client_id)},
    client_secret=os.environ['CLIENT_SECRET'],
    client_kwargs={'scope': 'openid profile email', 'code_challenge_method': 'S256'},
)`,
});

const browser = ({ issuer, client_id, api }: Facts): Snippet => ({
  label: 'Browser',
  text: `import { UserManager } from 'oidc-client-ts';

const users = new UserManager({
  authority: '${issuer}',
  client_id: ${literal(client_id)},
  redirect_uri: \`\${location.origin}/callback\`,
  scope: 'openid profile email',${api ? `\n  resource: ${literal(api)},` : ''}
});

await users.signinRedirect();`,
});

const device = ({ issuer, client_id }: Facts): Snippet => ({
  label: 'Node.js',
  text: `import * as oidc from 'openid-client';

const config = await oidc.discovery(new URL('${issuer}'), ${literal(client_id)}, undefined, oidc.None());
const verifier = oidc.randomPKCECodeVerifier();
const url = oidc.buildAuthorizationUrl(config, {
  redirect_uri: 'http://127.0.0.1:8400/callback', // a registered redirect URI; on loopback, any port
  scope: 'openid profile offline_access',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});`,
});

const curl = ({ issuer, client_id, api, secret }: Facts): Snippet => ({
  label: 'curl',
  text: [
    `curl ${issuer}/oauth/token`,
    ...(secret ? [`-u ${shellWord(`${encodeURIComponent(client_id)}:`)}"$CLIENT_SECRET"`] : []),
    '-d grant_type=client_credentials',
    ...(api ? [`--data-urlencode ${shellWord(`resource=${api}`)}`] : []),
  ].join(' \\\n  '),
});

const node = ({ issuer, client_id, api }: Facts): Snippet => ({
  label: 'Node.js',
  text: `import * as oidc from 'openid-client';

const config = await oidc.discovery(new URL('${issuer}'), ${literal(client_id)}, process.env.CLIENT_SECRET);
const { access_token } = await oidc.clientCredentialsGrant(config${api ? `, { resource: ${literal(api)} }` : ''});`,
});

const python = ({ issuer, client_id, api }: Facts): Snippet => ({
  label: 'Python',
  text: `from authlib.integrations.requests_client import OAuth2Session

client = OAuth2Session(${literal(client_id)}, os.environ['CLIENT_SECRET'])
token = client.fetch_token('${issuer}/oauth/token', grant_type='client_credentials'${api ? `, resource=${literal(api)}` : ''})`,
});

const go = ({ issuer, client_id, api }: Facts): Snippet => ({
  label: 'Go',
  text: `config := clientcredentials.Config{
	ClientID:     ${literal(client_id)},
	ClientSecret: os.Getenv("CLIENT_SECRET"),
	TokenURL:     "${issuer}/oauth/token",${api ? `\n	EndpointParams: url.Values{"resource": {${literal(api)}}},` : ''}
}
client := config.Client(ctx)`,
});
