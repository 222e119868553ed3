import type { IncomingMessage, ServerResponse } from 'node:http';
import * as openid from 'openid-client';
import { Listener } from './listener.ts';

type Asked = { state: string; nonce: string; verifier: string };
export type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** A client's registration as in the applied file. */
export type Registration = { client_id: string; client_secret: string };

/** A client that signs users in with openid-client. The parameters of redirected browsers are recorded. */
export class App {
  readonly #listener = new Listener(showOutcome);
  #config: openid.Configuration | undefined;
  readonly #asked = new Map<string, Asked>();
  readonly #registration: Registration;

  constructor(registration: Registration) {
    this.#registration = registration;
  }

  /** Listens on a free port, the target of redirects. */
  listen(): Promise<void> {
    return this.#listener.listen();
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  get origin(): string {
    return this.#listener.origin;
  }

  get redirectUri(): string {
    return `${this.origin}/callback`;
  }

  async discover(issuer: string): Promise<void> {
    const { client_id, client_secret } = this.#registration;
    const options = { execute: [openid.allowInsecureRequests] };
    const authentication = openid.ClientSecretBasic(client_secret);
    this.#config = await openid.discovery(new URL(issuer), client_id, {}, authentication, options);
  }

  get config(): openid.Configuration {
    if (!this.#config) throw new Error('not discovered');
    return this.#config;
  }

  /** The URL to which the client redirects users to sign in. */
  async signInUrl(parameters: Record<string, string>): Promise<string> {
    const asked = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    };
    this.#asked.set(asked.state, asked);
    return openid.buildAuthorizationUrl(this.config, {
      redirect_uri: this.redirectUri,
      state: asked.state,
      nonce: asked.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(asked.verifier),
      code_challenge_method: 'S256',
      ...parameters,
    }).href;
  }

  /** Redeems the code in the redirect. */
  async redeem(address: string): Promise<Tokens> {
    const url = new URL(address);
    const asked = this.#asked.get(url.searchParams.get('state') ?? '');
    if (!asked) throw new Error(`no user was redirected with the state in ${address}`);
    return openid.authorizationCodeGrant(this.config, url, {
      expectedState: asked.state,
      expectedNonce: asked.nonce,
      pkceCodeVerifier: asked.verifier,
    });
  }

  refresh(tokens: Tokens): Promise<Tokens> {
    return openid.refreshTokenGrant(this.config, tokens.refresh_token ?? '');
  }

  /** The URL to which the client redirects users to sign out. */
  signOutUrl(tokens: Tokens): string {
    return openid.buildEndSessionUrl(this.config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: `${this.origin}/signed-out`,
      state: 'the state',
    }).href;
  }

  /** The scopes of a token; undefined once it is inactive. */
  async scopeOf(token: string): Promise<string | undefined> {
    const { active, scope } = await openid.tokenIntrospection(this.config, token);
    return active ? String(scope) : undefined;
  }
}

function showOutcome(request: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(request.url ?? '/', 'http://app');
  const outcome = searchParams.get('error') ?? (searchParams.has('code') ? 'signed in' : 'start');
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(`<!doctype html><html lang="en"><title>The app</title><h1>${outcome}</h1></html>`);
}
