import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalid, isLoopbackName, Problem } from '../../../platform/http/index.ts';

/** A secret as it was read. */
export type Read = { path: string; version: number; data: Record<string, unknown> };

/** A credential, or what a workload has instead: a token of its issuer in a file, and the role that it logs in as. */
export type Access = { token: string } | { role: string; identity: string; auth: string };

const waitSeconds = 20;
const pauseMs = 5000;

/** Reads secrets of a server. A workload logs in when its token has ended: the file is read each time, because its issuer replaces it. */
export class SecretReader {
  readonly #url: string;
  readonly #access: Access;
  readonly #closing = new AbortController();
  #token: Promise<string> | undefined;

  /** @throws Problem: the address is not safe for credentials */
  constructor(url: string, access: Access) {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'https:' && !isLoopbackName(hostname))
      throw invalid('', 'Credentials only go to https addresses, or to this machine.');
    this.#url = url;
    this.#access = access;
  }

  /** @throws Problem: the server cannot be reached, or refuses */
  async read(path: string): Promise<Read> {
    const found = await this.#readWith(path, '');
    if (!found) throw new Problem(502, 'remote', { title: 'Refused', detail: 'The server answered without a value.' });
    return found;
  }

  /** Waits for a version after this one. @returns undefined: none came yet */
  readAfter({ path, version }: Read): Promise<Read | undefined> {
    return this.#readWith(path, `?wait=${waitSeconds}&after=${version}`);
  }

  /** Ends what waits. */
  close(): void {
    this.#closing.abort();
  }

  async pause(): Promise<void> {
    await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  async #readWith(path: string, query: string): Promise<Read | undefined> {
    const address = `/v1/secret/data/${path.split('/').map(encodeURIComponent).join('/')}${query}`;
    const first = await this.#get(address);
    // A token of a login ends; one that was given does not come again.
    const again = first.status === 403 && 'role' in this.#access;
    if (again) this.#token = undefined;
    const response = again ? await this.#get(address) : first;
    if (response.status === 204) return undefined;
    if (response.ok) {
      const { data } = (await response.json()) as { data: { data: Read['data']; metadata: { version: number } } };
      return { path, version: data.metadata.version, data: data.data };
    }
    const detail = `The server did not answer with the secret "${path}" (${response.status} ${meanings[response.status] ?? ''}).`;
    throw new Problem(response.status, 'remote', { title: 'Refused', detail });
  }

  async #get(address: string): Promise<Response> {
    this.#token ??= this.#logIn();
    const token = await this.#token.catch((error: unknown) => {
      this.#token = undefined;
      throw error;
    });
    return this.#send(address, { headers: { 'x-vault-token': token } });
  }

  async #logIn(): Promise<string> {
    if ('token' in this.#access) return this.#access.token;
    const { role, identity, auth } = this.#access;
    const jwt = (await readFile(identity, 'utf8')).trim();
    const body = JSON.stringify({ role, jwt });
    const response = await this.#send(`/v1/auth/${auth}/login`, { method: 'POST', body });
    if (response.ok) return ((await response.json()) as { auth: { client_token: string } }).auth.client_token;
    const detail = `The server did not let the workload log in as "${role}" (${response.status}): its token may be for another audience.`;
    throw new Problem(response.status, 'remote', { title: 'Refused', detail });
  }

  #send(address: string, init: RequestInit): Promise<Response> {
    return fetch(`${this.#url}${address}`, { ...init, signal: this.#closing.signal }).catch((error: Error) => {
      throw new Problem(503, 'remote', {
        title: 'Unreachable',
        detail: `Cannot reach ${this.#url}: ${error.message}.`,
      });
    });
  }
}

const meanings: Readonly<Record<number, string>> = {
  403: 'the token is not good, or may not read it',
  404: 'there is no such secret, or it was deleted',
  503: 'the secrets are sealed, or the database cannot be reached',
};
