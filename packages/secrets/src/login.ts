import { readFile } from 'node:fs/promises';
import { SecretsError, type Sending } from './request.ts';

/**
 * How a program gets its token: it has one already; or it is a workload with a token of its issuer, in a file (read each time, because its
 * issuer replaces it) or from a function; or it has a secret id.
 */
export type Login =
  | { token: string | (() => Promise<string>) }
  | ({ method: 'kubernetes' | 'jwt'; role: string } & ({ tokenFile: string } | { identity: () => Promise<string> }))
  | { method: 'approle'; roleId: string; secretId: string };

type Held = { token: string; renewAt: number; endsAt: number };
type Auth = { auth: { client_token: string; lease_duration: number } };

/** A token is renewed after two thirds of its lifetime. */
const renewAfter = 2 / 3;

/** The token of a program: requested at its first use, renewed before it expires, and requested again if it cannot be renewed. */
export class Token {
  readonly #login: Login;
  readonly #send: Sending;
  #held: Held | undefined;
  #getting: Promise<string> | undefined;

  constructor(login: Login, send: Sending) {
    this.#login = login;
    this.#send = send;
  }

  /** @throws SecretsError */
  async get(): Promise<string> {
    if ('token' in this.#login) return typeof this.#login.token === 'string' ? this.#login.token : this.#login.token();
    if (this.#held && Date.now() < this.#held.renewAt) return this.#held.token;
    this.#getting ??= this.#next().finally(() => {
      this.#getting = undefined;
    });
    return this.#getting;
  }

  /** Drops a token that the server refused. @returns whether a new one can be requested */
  refused(token: string): boolean {
    if ('token' in this.#login) return typeof this.#login.token !== 'string';
    if (this.#held?.token === token) this.#held = undefined;
    return true;
  }

  /** Revokes the token of a login. */
  async revoke(signal: AbortSignal): Promise<void> {
    const token = this.#held?.token;
    this.#held = undefined;
    const headers = token ? { 'x-vault-token': token } : undefined;
    if (headers) await this.#send('auth/token/revoke-self', { method: 'POST', headers, signal });
  }

  async #next(): Promise<string> {
    const held = this.#held;
    const isRenewable = held !== undefined && Date.now() < held.endsAt;
    const renewed = isRenewable ? await this.#renewed(held).catch((error) => this.#replaced(error)) : undefined;
    // While the server is unavailable, the present token may still be valid.
    if (isRenewable && renewed === undefined) return held.token;
    this.#held = renewed ?? (await this.#loggedIn());
    return this.#held.token;
  }

  async #renewed({ token, endsAt }: Held): Promise<Held> {
    const headers = { 'x-vault-token': token };
    const { body } = await this.#send('auth/token/renew-self', { method: 'POST', headers, body: '{}' });
    const renewed = heldFrom(body as Auth);
    // At its maximum lifetime a token is not renewed any more.
    return renewed.endsAt > endsAt ? renewed : this.#loggedIn();
  }

  /** A revoked token is replaced; an unavailable server is asked again later. */
  async #replaced(error: unknown): Promise<Held | undefined> {
    return error instanceof SecretsError && error.mayPass ? undefined : this.#loggedIn();
  }

  async #loggedIn(): Promise<Held> {
    const { method, body } = await this.#credentials();
    const answer = await this.#send(`auth/${method}/login`, { method: 'POST', body: JSON.stringify(body) });
    return heldFrom(answer.body as Auth);
  }

  async #credentials(): Promise<{ method: string; body: Record<string, string> }> {
    const login = this.#login;
    if ('token' in login)
      throw new SecretsError('A token cannot be used to log in again: configure a role or a service.');
    if (login.method === 'approle')
      return { method: login.method, body: { role_id: login.roleId, secret_id: login.secretId } };
    const jwt = 'identity' in login ? await login.identity() : await readFile(login.tokenFile, 'utf8');
    return { method: login.method, body: { role: login.role, jwt: jwt.trim() } };
  }
}

function heldFrom({ auth }: Auth): Held {
  const ms = auth.lease_duration * 1000;
  return { token: auth.client_token, renewAt: Date.now() + ms * renewAfter, endsAt: Date.now() + ms };
}
