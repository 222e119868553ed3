import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';

// The least that a Koa server can do: two routes that answer 200 and nothing else, at the addresses of the gateway.
const router = new Router();
router.get('/gateway/forward-auth', (ctx) => {
  ctx.body = '';
  ctx.status = 200;
});
router.post('/gateway/verify', (ctx) => {
  ctx.body = '';
  ctx.status = 200;
});

const app = new Koa().use(router.routes());
const server = createServer(app.callback()).listen(0, '127.0.0.1', () => {
  process.send?.({ ready: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
