import type { Panel } from '../../records/page-shapes.ts';
import { shellWord } from '../../records/shell-word.ts';
import type { ResourceServer } from './resource-server.ts';

const literal = (text: string) => JSON.stringify(text);

/** Programs that check the credentials of requests to an API. */
export function protectionPanel(issuer: string, { identifier, scopes }: ResourceServer): Panel {
  // A route needs one permission, not a pattern.
  const permission = scopes.find(({ name }) => !name.includes('*'))?.name ?? 'orders:read';
  const guard = `createGuard({
  issuer: ${literal(issuer)},
  resource: ${literal(identifier)},
  key: process.env.GUARD_KEY, // an API key with the permission latchkey:verify
})`;
  const express = `import express from 'express';
import { createGuard, expressGuard } from '@latchkey/guard';

const guard = expressGuard(${guard});

const app = express();
app.get('/', guard({ permission: ${literal(permission)} }), (request, response) => {
  response.json({ subject: request.latchkey.subject });
});`;
  const koa = `import Koa from 'koa';
import { createGuard, koaGuard } from '@latchkey/guard';

const guard = koaGuard(${guard});

const app = new Koa();
app.use(guard({ permission: ${literal(permission)} }));
app.use((ctx) => {
  ctx.body = { subject: ctx.state.latchkey.subject };
});`;
  const query = new URLSearchParams({ permission, resource: identifier });
  const curl = `# What a proxy asks about each request: 200 allows it, 401 and 403 say why not
curl -i ${shellWord(`${issuer}/gateway/forward-auth?${query}`)} \\
  -H "Authorization: Bearer $ACCESS_TOKEN"`;
  return {
    heading: 'Protect a route',
    content: {
      kind: 'snippets',
      snippets: [
        { label: 'Express', text: express },
        { label: 'Koa', text: koa },
        { label: 'Proxy', text: curl },
      ],
    },
  };
}
