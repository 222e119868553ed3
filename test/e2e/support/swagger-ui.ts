import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { calendar } from './installation.ts';
import { Listener } from './listener.ts';

const require = createRequire(import.meta.url);
const { absolutePath } = require('swagger-ui-dist') as { absolutePath: () => string };
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Swagger UI from npm, with the description of one API whose operation needs a token. */
export class SwaggerUi {
  readonly #listener = new Listener((request, response) => this.#answer(request, response));
  readonly #server: { issuer: string };
  /** The `Authorization` headers that the API received. */
  readonly received: string[] = [];

  constructor(server: { issuer: string }) {
    this.#server = server;
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

  #answer({ url = '/', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url, this.origin);
    if (pathname === '/openapi.json') response.end(JSON.stringify(this.#description()));
    else if (pathname === '/swagger-initializer.js') response.end(this.#initializer());
    else if (pathname === '/appointments') {
      this.received.push(headers.authorization ?? '');
      response.setHeader('Content-Type', 'application/json').end('[]');
    } else sendFile(pathname === '/' ? '/index.html' : pathname, response);
  }

  #description() {
    const { issuer } = this.#server;
    const flow = { authorizationUrl: `${issuer}/oauth/authorize`, tokenUrl: `${issuer}/oauth/token` };
    const scopes = { 'calendar:read': 'See your appointments' };
    return {
      openapi: '3.0.3',
      info: { title: 'Team Calendar', version: '1' },
      components: {
        securitySchemes: { latchkey: { type: 'oauth2', flows: { authorizationCode: { ...flow, scopes } } } },
      },
      security: [{ latchkey: ['calendar:read'] }],
      paths: { '/appointments': { get: { operationId: 'list', responses: { 200: { description: 'appointments' } } } } },
    };
  }

  #initializer(): string {
    const oauth = {
      clientId: 'api-explorer',
      usePkceWithAuthorizationCodeGrant: true,
      additionalQueryStringParams: { resource: calendar },
    };
    const options = { url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null };
    return `window.onload = () => {
      window.ui = SwaggerUIBundle({ ...${JSON.stringify(options)}, presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: 'StandaloneLayout' });
      window.ui.initOAuth(${JSON.stringify(oauth)});
    };`;
  }
}

function sendFile(name: string, response: ServerResponse): void {
  const file = path.join(absolutePath(), path.basename(name));
  response.setHeader('Content-Type', types[path.extname(name)] ?? 'image/png').end(readFileSync(file));
}
