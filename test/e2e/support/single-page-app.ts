import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { calendar } from './installation.ts';
import { Listener } from './listener.ts';

const require = createRequire(import.meta.url);
const library = path.join(path.dirname(require.resolve('oidc-client-ts')), '../browser/oidc-client-ts.min.js');
const page = path.join(import.meta.dirname, 'single-page-app.html');

/** A static file server with an app that signs users in with oidc-client-ts. */
export class SinglePageApp {
  readonly #listener = new Listener((request, response) => this.#answer(request, response));
  readonly #issuer: { issuer: string };

  constructor(issuer: { issuer: string }) {
    this.#issuer = issuer;
  }

  listen(): Promise<void> {
    return this.#listener.listen();
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  get origin(): string {
    return this.#listener.origin;
  }

  #answer({ url = '/' }: IncomingMessage, response: ServerResponse): void {
    if (url === '/settings.json') response.end(JSON.stringify(this.#settings()));
    else if (url === '/oidc-client-ts.js')
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(library));
    else response.setHeader('Content-Type', 'text/html; charset=utf-8').end(readFileSync(page));
  }

  #settings() {
    return {
      authority: this.#issuer.issuer,
      client_id: 'dashboard',
      redirect_uri: `${this.origin}/callback`,
      post_logout_redirect_uri: `${this.origin}/`,
      scope: 'openid profile email calendar:read',
      resource: calendar,
      loadUserInfo: true,
    };
  }
}
