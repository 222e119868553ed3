import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  errors,
  type KoaContextWithOIDC,
  type RefreshToken,
} from 'oidc-provider';
import { type ClientDeps, type ClientRecord, findClientRecord } from '../store/index.ts';

type Token = AccessToken | ClientCredentials | RefreshToken;

/** RFC 7662 §4: only the token's client or audience may introspect it; refresh tokens only their client. */
export function mayIntrospect(deps: ClientDeps) {
  return async (_ctx: KoaContextWithOIDC, client: Client, token: Token): Promise<boolean> => {
    if (token.clientId === client.clientId) return true;
    if (token.kind === 'RefreshToken' || client.clientAuthMethod === 'none' || !('aud' in token) || !token.aud)
      return false;
    const record = await findClientRecord(deps, client.clientId);
    // A client that no operator registered chose its own client_id.
    if (record?.registered_by !== 'operator') return false;
    const audiences = [token.aud].flat();
    return (
      audiences.includes(client.clientId) || record.introspects.some((identifier) => audiences.includes(identifier))
    );
  };
}

/** RFC 7009 §2.1: only the client it was issued to. */
export async function mayRevoke(_ctx: KoaContextWithOIDC, client: Client, token: Token): Promise<boolean> {
  if (token.clientId !== client.clientId) throw new errors.InvalidRequest('this token was not issued to this client');
  return true;
}

/** Revoking a token ends that token, a refresh token its family; only signing out ends the grant. */
export function revokesGrant(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route !== 'revocation';
}

/** MCP and other clients name `refresh_token` in their grant types and never ask for offline_access. */
export async function issuesRefreshToken(_ctx: KoaContextWithOIDC, client: Client): Promise<boolean> {
  return client.grantTypeAllowed('refresh_token');
}

/**
 * Tokens of web and single-page clients end with the browser session unless offline_access was granted; those of native ones, agents and
 * devices, which do not run in that browser, outlive it.
 */
export function endsWithSession(deps: ClientDeps) {
  return async (ctx: KoaContextWithOIDC, source: { kind?: string; scopes: Set<string> }): Promise<boolean> => {
    const { client } = ctx.oidc;
    if (source.kind === 'DeviceCode' || source.scopes.has('offline_access')) return false;
    return !(client && outlivesSession(client, await findClientRecord(deps, client.clientId)));
  };
}

/** Whether the tokens of a client outlive the browser session in which they were allowed. */
export function outlivesSession({ applicationType }: Client, record: ClientRecord | undefined): boolean {
  return applicationType === 'native' || record?.type === 'agent';
}
