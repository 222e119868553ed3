import type {
  DpopSession,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { password } from './installation.ts';
import type { Latchkey } from './latchkey.ts';
import type { UserAgent } from './user-agent.ts';

export type McpAppOptions = {
  /** Set if it was registered in advance. */
  client_id?: string;
  redirectUrl?: string;
  /** The URL of its client ID metadata document. */
  clientMetadataUrl?: string;
  metadata?: Partial<OAuthClientMetadata>;
  addClientAuthentication?: OAuthClientProvider['addClientAuthentication'];
  /** Binds its tokens to a key (RFC 9449). */
  dpop?: DpopSession;
};

/** An app in the form that MCP libraries expect: it stores the given values. Alice uses it in her own browser. */
export class McpApp implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata: OAuthClientMetadata;
  declare readonly clientMetadataUrl?: string;
  declare readonly addClientAuthentication?: NonNullable<OAuthClientProvider['addClientAuthentication']>;
  declare readonly dpop?: () => DpopSession;
  /** The authorization requests, in order. */
  readonly requests: URL[] = [];
  readonly #browser: UserAgent;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';
  #discovered: OAuthDiscoveryState | undefined;

  constructor(latchkey: Latchkey, options: McpAppOptions) {
    const { client_id, redirectUrl = 'http://localhost:33418/callback', metadata } = options;
    this.redirectUrl = redirectUrl;
    this.clientMetadata = { client_name: 'An MCP client', redirect_uris: [redirectUrl], ...metadata };
    if (options.clientMetadataUrl) this.clientMetadataUrl = options.clientMetadataUrl;
    if (options.addClientAuthentication) this.addClientAuthentication = options.addClientAuthentication;
    const { dpop } = options;
    if (dpop) this.dpop = () => dpop;
    if (client_id) this.#client = { client_id, issuer: latchkey.issuer };
    this.#browser = latchkey.browser();
  }

  clientInformation = () => this.#client;
  saveClientInformation = (client: StoredOAuthClientInformation) => {
    this.#client = client;
  };
  tokens = () => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens) => {
    this.#tokens = tokens;
  };
  state = () => 'a state of the app';
  saveCodeVerifier = (verifier: string) => {
    this.#verifier = verifier;
  };
  codeVerifier = () => this.#verifier;
  discoveryState = () => this.#discovered;
  saveDiscoveryState = (state: OAuthDiscoveryState) => {
    this.#discovered = state;
  };
  redirectToAuthorization = (url: URL) => {
    this.requests.push(url);
  };

  /** Drops a token, as if it had expired or was revoked. */
  lose(which: 'access_token' | 'refresh_token'): void {
    if (!this.#tokens) throw new Error('there are no tokens');
    const { refresh_token: _, ...others } = this.#tokens;
    this.#tokens = which === 'refresh_token' ? others : { ...this.#tokens, access_token: 'lk_at_lost' };
  }

  /** Signs in and allows the request. @returns the parameters of the callback, the requested scopes, and the page */
  async allow(): Promise<{ callback: URLSearchParams; asked: string[]; page: string }> {
    const url = this.requests.at(-1)?.href;
    if (!url) throw new Error('the app asked for nothing');
    let page = await this.#browser.get(url);
    if (page.html.includes('name="password"'))
      page = await this.#browser.submit(page, { login: 'alice', password }, '/sign-in');
    const { html } = page;
    const [asking = ''] = html.split('class="before"');
    const asked = [...asking.matchAll(/<small><code>([^<]+)<\/code>/g)].map(([, scope = '']) => scope);
    if (html.includes('value="allow"')) page = await this.#browser.submit(page, { decision: 'allow' }, '/consent');
    return { callback: new URL(page.url).searchParams, asked, page: html };
  }
}
