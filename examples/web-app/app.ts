import type { Context } from 'koa';
import type { Configuration, IDToken, UserInfoResponse } from 'openid-client';
import type { MemoryStore } from './memory-store.ts';
import type { Pages } from './pages.ts';

/** The settings of this app. */
export type WebAppOptions = {
  /** The issuer that signs users in. */
  issuer: string;
  client_id: string;
  client_secret: string;
  /** The address of this app for browsers, without a trailing slash. Registered redirect URI: `${url}/callback`. */
  url: string;
  pages: Pages;
  /** The form of a POST request. */
  readForm: (ctx: Context) => URLSearchParams | Promise<URLSearchParams>;
};

/** A started sign-in; each part is checked against the response. */
export type StartedSignIn = { state: string; nonce: string; code_verifier: string };

/** A signed-in user. The tokens stay here: the browser only has the id of its session. */
export type Session = {
  access_token: string;
  /** The granted scopes, as the issuer returned them: fewer than requested if the user unticked some. */
  scope: string;
  refresh_token: string | undefined;
  id_token: string;
  id_token_claims: IDToken;
  userinfo: UserInfoResponse;
  /** How many times the tokens were renewed. */
  refreshed: number;
  /** null: not called yet */
  api_answer: object | null;
  /** Shown once, on the next page. */
  notice: string | undefined;
};

/** The sender of a request, if it must be a signed-in user. */
export type SignedIn = { session: Session; browser: string };

/** The dependencies of the routes. */
export type App = WebAppOptions & {
  provider: () => Promise<Configuration>;
  csrfKey: Buffer;
  started: MemoryStore<StartedSignIn>;
  sessions: MemoryStore<Session>;
};

/** A failure, as one sentence for the user. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** The page after a submitted form: a reload then repeats nothing. */
export function seeOther(ctx: Context, url: string): void {
  ctx.redirect(url);
  ctx.status = 303;
}
