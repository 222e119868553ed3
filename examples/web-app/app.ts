import type { Context } from 'koa';
import type { Configuration, IDToken, UserInfoResponse } from 'openid-client';
import type { MemoryStore } from './memory-store.ts';
import type { Pages } from './pages.ts';

/** What the server of this app decides. */
export type WebAppOptions = {
  /** Who signs people in. */
  issuer: string;
  client_id: string;
  client_secret: string;
  /** Where people reach this app, without a slash at the end. Registered redirect URI: `${url}/callback`. */
  url: string;
  pages: Pages;
  /** The form that a POST request carries. */
  readForm: (ctx: Context) => URLSearchParams | Promise<URLSearchParams>;
};

/** A sign-in that was started and not finished; each part is checked against what comes back. */
export type StartedSignIn = { state: string; nonce: string; code_verifier: string };

/** Somebody who signed in. The tokens stay here: the browser holds only the name of its session. */
export type Session = {
  access_token: string;
  /** What the tokens may be used for, as the issuer said: less than was asked where the person unticked some. */
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

/** Who sends a request, where it needs somebody who signed in. */
export type SignedIn = { session: Session; browser: string };

/** What the routes work with. */
export type App = WebAppOptions & {
  provider: () => Promise<Configuration>;
  csrfKey: Buffer;
  started: MemoryStore<StartedSignIn>;
  sessions: MemoryStore<Session>;
};

/** Something that did not come about, as one sentence for the person. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** Where to go after a form was sent: a reload then repeats nothing. */
export function seeOther(ctx: Context, url: string): void {
  ctx.redirect(url);
  ctx.status = 303;
}
