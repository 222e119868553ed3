import { LRUCache } from 'lru-cache';
import type { Configuration, ServerMetadata } from 'openid-client';
import { z } from 'zod';
import { atMostEntries, once } from '../../platform/caching/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Fetching, Getting } from '../../platform/outbound/index.ts';
import { discoverIssuer, OtherIssuerError, secretOf, type Trust, unknownSettings } from '../trusts/index.ts';
import { ProviderRefusal, unavailable } from './refusal.ts';
import { boundedFetch } from './requests.ts';

export type ConnectionDeps = {
  fetch: Fetching;
  get: Getting;
  now: () => Date;
  keys: ServerKeys;
  /** Whether providers may be reached without TLS, on this machine: in development only. */
  allowHttp: boolean;
};

/** A trust by which users sign in. */
export type LoginTrust = Trust & { login: NonNullable<Trust['login']> };

// Loaded for the first sign-in with a provider, so that neither a start nor a command waits for it.
export const openidClient = once(() => import('openid-client'));

const Metadata = z.looseObject({ authorization_endpoint: z.url(), token_endpoint: z.url() });

const most = 1000;
const keptMs = 10 * 60_000;
// Anyone can press the button, as often as they like.
const retryMs = 10_000;

type Entry = { metadata: Promise<ServerMetadata>; until: number };

/** The providers that users sign in with. Their metadata is read by discovery, and cached for ten minutes. */
export class ProviderConnections {
  readonly #deps: ConnectionDeps;
  readonly #entries = new LRUCache<string, Entry>(atMostEntries(most));

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  /** The library's configuration for a provider. @throws ProviderRefusal: it does not answer, or describes another one */
  async of(trust: LoginTrust): Promise<Configuration> {
    const { now, keys, fetch, allowHttp } = this.#deps;
    const metadata = await this.#metadataOf(trust);
    const client = await openidClient();
    const secret = await secretOf(keys, trust);
    const clockSkew = Math.round((now().getTime() - Date.now()) / 1000);
    const authentication = secret === undefined ? client.None() : authenticationBy(client, metadata, secret);
    const own = { [client.clockSkew]: clockSkew, [client.clockTolerance]: 30 };
    const connection = new client.Configuration(metadata, trust.login.client_id, own, authentication);
    connection[client.customFetch] = boundedFetch(fetch);
    if (allowHttp) client.allowInsecureRequests(connection);
    return connection;
  }

  async #metadataOf(trust: LoginTrust): Promise<ServerMetadata> {
    if (trust.login.provider === 'github') return gitHubMetadata(trust.issuer);
    const now = this.#deps.now().getTime();
    const known = this.#entries.get(trust.issuer);
    if (known && now < known.until) return known.metadata;
    const metadata = this.#discover(trust.issuer);
    const entry: Entry = { metadata, until: now + keptMs };
    this.#entries.set(trust.issuer, entry);
    metadata.catch(() => {
      entry.until = now + retryMs;
    });
    return metadata;
  }

  async #discover(issuer: string): Promise<ServerMetadata> {
    const published = await discoverIssuer(this.#deps.get, issuer).catch((error: unknown) => {
      if (error instanceof OtherIssuerError) throw new ProviderRefusal('invalid', 'its metadata is of another issuer');
      throw unavailable();
    });
    const metadata = Metadata.safeParse(published);
    if (!metadata.success) throw unavailable();
    return metadata.data as ServerMetadata;
  }
}

type Library = Awaited<ReturnType<typeof openidClient>>;

/** The authentication method that the provider supports; the default is `client_secret_basic` (OpenID Connect Discovery 1.0 §3). */
function authenticationBy(client: Library, metadata: ServerMetadata, secret: string) {
  const { token_endpoint_auth_methods_supported: supported = ['client_secret_basic'] } = metadata;
  return supported.includes('client_secret_basic') ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
}

/** GitHub is no OpenID provider: its address serves as the issuer, also that of a GitHub Enterprise Server. */
function gitHubMetadata(issuer: string): ServerMetadata {
  return {
    issuer,
    authorization_endpoint: `${issuer}/login/oauth/authorize`,
    token_endpoint: `${issuer}/login/oauth/access_token`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
  };
}

/** The address of GitHub's API. */
export const gitHubApi = (issuer: string): string =>
  issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`;

const names = { google: 'Google', microsoft: 'Microsoft', github: 'GitHub', oidc: undefined } as const;

/** The name of a provider on pages. */
export const providerName = ({ name, login }: LoginTrust): string => login.label ?? names[login.provider] ?? name;

/** Whether users can sign in by a trust. */
export function isLogin(trust: Trust | undefined): trust is LoginTrust {
  const isOfLogin = trust?.kind === 'login' && trust.enabled && trust.login !== null;
  return isOfLogin && unknownSettings(trust).length === 0;
}
