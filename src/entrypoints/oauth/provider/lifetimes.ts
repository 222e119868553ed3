import type { AccessToken, Client, ClientCredentials, KoaContextWithOIDC, RefreshToken, Session } from 'oidc-provider';
import { type ClientDeps, findClientRecord } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

/** The installation's lifetimes, in seconds; clients and resource servers may shorten or lengthen their own. */
export type DefaultLifetimes = {
  accessTokenSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenAbsoluteSeconds: number;
  sessionSeconds: number;
};

const codeSeconds = 60;
const idTokenSeconds = 3600;
const deviceCodeSeconds = 600;
const interactionSeconds = 3600;
const pushedRequestSeconds = 60;

type Overrides = {
  access_token?: number | undefined;
  refresh_token_idle?: number | undefined;
  refresh_token_absolute?: number | undefined;
};
const overrides = new WeakMap<object, Overrides>();

/** oidc-provider asks for lifetimes synchronously: the client's own are noted when it authenticates. */
export async function noteLifetimes(deps: ClientDeps, client: Client): Promise<void> {
  const record = await findClientRecord(deps, client.clientId);
  overrides.set(client, record?.lifetimes ?? {});
}

/** `ttl` of oidc-provider's configuration. A grant has none: it stands until it is revoked. */
export function lifetimes(defaults: DefaultLifetimes) {
  return {
    AccessToken: accessTokenSeconds(defaults),
    ClientCredentials: accessTokenSeconds(defaults),
    AuthorizationCode: codeSeconds,
    DeviceCode: deviceCodeSeconds,
    IdToken: idTokenSeconds,
    PushedAuthorizationRequest: pushedRequestSeconds,
    Interaction: interactionSeconds,
    // One that nobody has signed in to carries a request at most; anybody can start them by the thousand.
    Session: (_ctx: KoaContextWithOIDC, session: Session): number =>
      session.accountId ? defaults.sessionSeconds : Math.min(interactionSeconds, defaults.sessionSeconds),
    Grant: defaults.refreshTokenAbsoluteSeconds,
    RefreshToken: (_ctx: KoaContextWithOIDC, token: RefreshToken, client: Client): number => {
      const { refresh_token_idle, refresh_token_absolute } = overrides.get(client) ?? {};
      const absolute = refresh_token_absolute ?? defaults.refreshTokenAbsoluteSeconds;
      currentUnit().absoluteRefreshSeconds = absolute;
      return Math.max(
        1,
        Math.min(refresh_token_idle ?? defaults.refreshTokenIdleSeconds, absolute - token.totalLifetime()),
      );
    },
  };
}

/** The shortest of what the client and the resource server say, else the installation's. */
function accessTokenSeconds({ accessTokenSeconds: fallback }: DefaultLifetimes) {
  return (_ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials, client: Client): number => {
    const said = [overrides.get(client)?.access_token, token.resourceServer?.accessTokenTTL].filter(
      (seconds) => seconds !== undefined,
    );
    return said.length > 0 ? Math.min(...said) : fallback;
  };
}
