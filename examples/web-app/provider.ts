import * as client from 'openid-client';

const timeoutSeconds = 5;
const loopback = ['localhost', '127.0.0.1', '[::1]'];

type Registered = { issuer: string; client_id: string; client_secret: string };

/**
 * The issuer's metadata (OpenID Connect Discovery), fetched at the first use and cached; after a failure the next use fetches it again, so
 * the issuer may start later than this app.
 */
export function discoverOnce(registered: Registered): () => Promise<client.Configuration> {
  let found: Promise<client.Configuration> | undefined;
  return () => {
    found ??= discover(registered).catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

async function discover({ issuer, client_id, client_secret }: Registered): Promise<client.Configuration> {
  const server = new URL(issuer);
  // Without TLS anyone on the network can read the tokens: allow it on this machine only.
  const isLocal = server.protocol === 'http:' && loopback.includes(server.hostname);
  const execute = [client.enableNonRepudiationChecks, ...(isLocal ? [client.allowInsecureRequests] : [])];
  const authentication = client.ClientSecretBasic(client_secret);
  return client.discovery(server, client_id, {}, authentication, { execute, timeout: timeoutSeconds });
}

const answers = [client.ClientError, client.ResponseBodyError, client.WWWAuthenticateChallengeError];

/** Whether it failed because the issuer was unavailable or gave an invalid response, and not by a bug in this program. */
export function isProviderFailure(error: unknown): boolean {
  return isUnreachable(error) || answers.some((kind) => error instanceof kind);
}

/** Whether `fetch` got no response: its own errors have a cause, those of a bug have none. */
export function isUnreachable(error: unknown): boolean {
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
  return isTimeout || (error instanceof TypeError && error.cause !== undefined);
}

/** Whether the issuer says that a code or refresh token was used, revoked or is too old (RFC 6749 §5.2). */
export function isEnded(error: unknown): boolean {
  return error instanceof client.ResponseBodyError && error.error === 'invalid_grant';
}
