import { setTimeout as sleep } from 'node:timers/promises';
import { type Login, Token } from './login.ts';
import { SecretsError, type Sending, sender } from './request.ts';

export type SecretsOptions = {
  /** The address of the server, such as `https://id.example.com`. */
  url: string;
  login: Login;
  /** How long a value is used without a new request. Default: 60. */
  maxAgeSeconds?: number;
  /** How long it is used beyond that while the server cannot be reached. Default: 600. */
  staleSeconds?: number;
  /** Called for errors while secrets are followed. Default: none. */
  onError?: (error: unknown) => void;
  /** How long `close` waits at most for the revocation of the login's token. Default: 5000. */
  closeWithinMs?: number;
};

/** A version of a secret: its named parts. */
export type Secret = { path: string; version: number; data: Readonly<Record<string, unknown>> };

type Kept = { secret: Secret; readAt: number };

const defaults = { maxAgeSeconds: 60, staleSeconds: 600, closeWithinMs: 5000 };
const waitSeconds = 25;
const pauseMs = 5000;

/** Reads secrets, and follows their changes. */
export class Secrets {
  readonly #options: SecretsOptions & typeof defaults;
  readonly #closing = new AbortController();
  readonly #send: Sending;
  readonly #token: Token;
  readonly #kept = new Map<string, Kept>();
  readonly #reading = new Map<string, Promise<Secret>>();
  /** The dependencies of following a secret. */
  readonly #followed = new Map<string, Secret>();

  /** @throws SecretsError: the address is not safe for tokens */
  constructor(options: SecretsOptions) {
    this.#options = { ...defaults, ...options };
    this.#send = sender(options.url, this.#closing.signal);
    this.#token = new Token(options.login, this.#send);
  }

  /**
   * The current version of a secret, from the cache if it was read a moment ago, or while the server cannot be reached.
   *
   * @throws SecretsError: 403, 404, or nothing was read before
   */
  async get(path: string): Promise<Secret> {
    const followed = this.#followed.get(path);
    if (followed) return followed;
    const kept = this.#kept.get(path);
    const age = kept ? (Date.now() - kept.readAt) / 1000 : Number.POSITIVE_INFINITY;
    const { maxAgeSeconds, staleSeconds } = this.#options;
    if (kept && age < maxAgeSeconds) return kept.secret;
    try {
      return await this.#readOnce(path);
    } catch (error) {
      if (kept && age < maxAgeSeconds + staleSeconds && error instanceof SecretsError && error.mayPass)
        return kept.secret;
      this.#kept.delete(path);
      throw error;
    }
  }

  /**
   * Follows a secret. `swap` is called with each new version, and with the previous one, which still works meanwhile: open the resource
   * with the new one, then close the old one. `get` returns the new version once `swap` has finished; if it fails, it is called again.
   *
   * @returns the current version, and a function to stop
   */
  async watch(
    path: string,
    swap: (next: Secret, before: Secret) => void | Promise<void>,
  ): Promise<{ secret: Secret; stop: () => void }> {
    const secret = await this.get(path);
    const stopping = new AbortController();
    const signal = AbortSignal.any([stopping.signal, this.#closing.signal]);
    void this.#follow(secret, swap, signal);
    return { secret, stop: () => stopping.abort() };
  }

  /** Stops following, and revokes the token of a login. */
  async close(): Promise<void> {
    await this.#token.revoke(AbortSignal.timeout(this.#options.closeWithinMs)).catch(() => undefined);
    this.#closing.abort();
    this.#kept.clear();
  }

  async #follow(first: Secret, swap: Parameters<Secrets['watch']>[1], signal: AbortSignal): Promise<void> {
    let current = first;
    let answeredAt = Date.now();
    this.#followed.set(current.path, current);
    signal.addEventListener('abort', () => this.#followed.delete(first.path), { once: true });
    while (!signal.aborted) {
      try {
        const next = await this.#read(current.path, `?wait=${waitSeconds}&after=${current.version}`);
        if (signal.aborted) return;
        if (next) await swap(next, current);
        current = next ?? current;
        answeredAt = Date.now();
        this.#keep(current);
        if (!signal.aborted) this.#followed.set(current.path, current);
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#isUsable(error, answeredAt)) this.#followed.delete(current.path);
        this.#options.onError?.(error);
        await sleep(pauseMs, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  /** Whether the followed value may still be used: not once the server refuses it, or is unavailable for too long. */
  #isUsable(error: unknown, answeredAt: number): boolean {
    const { maxAgeSeconds, staleSeconds } = this.#options;
    const isRefused = error instanceof SecretsError && !error.mayPass;
    return !isRefused && Date.now() - answeredAt < (maxAgeSeconds + staleSeconds) * 1000;
  }

  /** One request for all callers that want the same secret at the same time. */
  #readOnce(path: string): Promise<Secret> {
    const reading = this.#reading.get(path) ?? this.#readNow(path).finally(() => this.#reading.delete(path));
    this.#reading.set(path, reading);
    return reading;
  }

  async #readNow(path: string): Promise<Secret> {
    const secret = await this.#read(path, '');
    if (!secret) throw new SecretsError(`${path} has no value.`, 404);
    this.#keep(secret);
    return secret;
  }

  #keep(secret: Secret): void {
    this.#kept.set(secret.path, { secret, readAt: Date.now() });
  }

  /** @returns undefined: there was no other version */
  async #read(path: string, query: string): Promise<Secret | undefined> {
    const token = await this.#token.get();
    const address = `secret/data/${path.split('/').map(encodeURIComponent).join('/')}${query}`;
    const ask = (by: string) => this.#send(address, { headers: { 'x-vault-token': by } });
    const { status, body } = await ask(token).catch(async (error: unknown) => {
      const isRefused = error instanceof SecretsError && error.status === 403;
      // The token may have been revoked; a retry with another one distinguishes this from a missing permission.
      if (!isRefused || !this.#token.refused(token)) throw error;
      return ask(await this.#token.get());
    });
    if (status === 204) return undefined;
    const { data, metadata } = (body as { data: { data: Secret['data']; metadata: { version: number } } }).data;
    return { path, version: metadata.version, data };
  }
}
