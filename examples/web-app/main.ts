import { text } from 'node:stream/consumers';
import Koa, { type Context, type Next } from 'koa';
import { Refusal } from './app.ts';
import { plainPages } from './pages.ts';
import { webApp } from './web-app.ts';

const maxFormBytes = 4096;

const { ISSUER: issuer, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, PORT = '4000' } = process.env;
if (!issuer || !client_id || !client_secret) {
  console.error('Set ISSUER, CLIENT_ID and CLIENT_SECRET; README.md says where they come from.');
  process.exit(1);
}

const url = `http://localhost:${PORT}`;
const server = new Koa();
server.use(headers(issuer));
server.use(webApp({ issuer, client_id, client_secret, url, pages: plainPages, readForm }));
server.listen(Number(PORT), '127.0.0.1', () => console.log(`The web app is ready at ${url}`));

/** No script runs and no site can frame a page; forms submit here and, when signing in or out, redirect to the issuer. */
function headers(leadsTo: string) {
  const formAction = `form-action 'self' ${new URL(leadsTo).origin}`;
  return (ctx: Context, next: Next) => {
    ctx.set({
      'Content-Security-Policy': `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; ${formAction}`,
      'X-Content-Type-Options': 'nosniff',
      // `no-referrer` would make browsers send `Origin: null` with our own forms.
      'Referrer-Policy': 'same-origin',
    });
    return next();
  };
}

async function readForm(ctx: Context): Promise<URLSearchParams> {
  const bytes = ctx.request.length ?? Number.POSITIVE_INFINITY;
  if (bytes > maxFormBytes) throw new Refusal(413, 'That form is too large.');
  return new URLSearchParams(await text(ctx.req));
}
