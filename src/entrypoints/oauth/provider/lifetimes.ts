import type { AccessToken, Client, ClientCredentials, KoaContextWithOIDC, RefreshToken, Session } from 'oidc-provider';

/** The installation's lifetimes, in seconds; clients and resource servers may shorten or lengthen their own. */
export type DefaultLifetimes = {
  accessTokenSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenAbsoluteSeconds: number;
  /** For a session that no client uses, and from its last sign-in on. */
  sessionSeconds: number;
  sessionAbsoluteSeconds: number;
};

const codeSeconds = 60;
const idTokenSeconds = 3600;
const deviceCodeSeconds = 600;
const interactionSeconds = 3600;
const pushedRequestSeconds = 60;

/** A client's own lifetimes, in seconds. */
type ClientLifetimes = { access_token?: number; refresh_token_idle?: number; refresh_token_absolute?: number };

/** The member of a client that the store fills with its lifetimes; no registration has it. */
export const lifetimesMember = 'lifetimes';

function ownLifetimes(client: Client): ClientLifetimes {
  const { [lifetimesMember]: own = {} } = client as { [lifetimesMember]?: ClientLifetimes };
  return own;
}

/** How long the refresh tokens of one redemption are valid in total, in seconds. */
export function absoluteRefreshSeconds(
  { refreshTokenAbsoluteSeconds }: DefaultLifetimes,
  { refresh_token_absolute }: Readonly<{ refresh_token_absolute?: number | undefined }>,
): number {
  return refresh_token_absolute ?? refreshTokenAbsoluteSeconds;
}

/** `ttl` of oidc-provider's configuration. A grant has none: it is active until it is revoked. */
export function lifetimes(defaults: DefaultLifetimes, now: () => Date) {
  return {
    AccessToken: accessTokenSeconds(defaults),
    ClientCredentials: accessTokenSeconds(defaults),
    AuthorizationCode: codeSeconds,
    DeviceCode: deviceCodeSeconds,
    IdToken: idTokenSeconds,
    PushedAuthorizationRequest: pushedRequestSeconds,
    Interaction: interactionSeconds,
    // A session without a sign-in only belongs to one request; anyone can start thousands of them.
    Session: (_ctx: KoaContextWithOIDC, session: Session): number =>
      session.accountId
        ? sessionSeconds(defaults, session, now())
        : Math.min(interactionSeconds, defaults.sessionSeconds),
    Grant: defaults.refreshTokenAbsoluteSeconds,
    RefreshToken: (_ctx: KoaContextWithOIDC, token: RefreshToken, client: Client): number => {
      const own = ownLifetimes(client);
      const absolute = absoluteRefreshSeconds(defaults, own);
      return Math.max(
        1,
        Math.min(own.refresh_token_idle ?? defaults.refreshTokenIdleSeconds, absolute - token.totalLifetime()),
      );
    },
  };
}

function sessionSeconds(
  { sessionSeconds: idle, sessionAbsoluteSeconds: absolute }: DefaultLifetimes,
  { loginTs }: Session,
  now: Date,
): number {
  const age = loginTs === undefined ? 0 : Math.floor(now.getTime() / 1000) - loginTs;
  return Math.max(1, Math.min(idle, absolute - age));
}

/** The shorter one of client and resource server, else the installation's. */
function accessTokenSeconds({ accessTokenSeconds: fallback }: DefaultLifetimes) {
  return (_ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials, client: Client): number => {
    const said = [ownLifetimes(client).access_token, token.resourceServer?.accessTokenTTL].filter(
      (seconds) => seconds !== undefined,
    );
    return said.length > 0 ? Math.min(...said) : fallback;
  };
}
