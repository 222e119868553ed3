import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';

// A minimal Koa server: routes that return 200 and nothing else, at the addresses of the gateway and of secrets.
const router = new Router();
const nothing = (ctx: Koa.Context) => {
  ctx.body = '';
  ctx.status = 200;
};
router.get('/gateway/forward-auth', nothing);
router.post('/gateway/verify', nothing);
router.all('/v1/secret/data/bench/:name', nothing);

const app = new Koa().use(router.routes());
const server = createServer(app.callback()).listen(0, '127.0.0.1', () => {
  process.send?.({ ready: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
