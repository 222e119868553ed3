import type { IncomingMessage } from 'node:http';
import { addressOf, disbelieveProxies } from '../platform/http/index.ts';

/** A request to the gateway as it is looked at: Koa's context is one, and what stands for it before Koa. */
export type Inquiry = {
  req: IncomingMessage;
  method: string;
  path: string;
  querystring: string;
  host: string;
  /** Of whoever asks; where proxies are believed, of whom the proxy asks for. */
  ip: string;
};

/** A request before Koa, of which nothing is looked at before it is needed. */
export class EarlyInquiry implements Inquiry {
  readonly req: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly ip: string;

  /** @param proxyHops how many proxies are believed; 0: all; undefined: none */
  constructor(req: IncomingMessage, proxyHops: number | undefined) {
    const { method = '', url = '' } = req;
    const end = url.indexOf('?');
    if (proxyHops === undefined) disbelieveProxies(req);
    this.req = req;
    this.method = method;
    this.path = end < 0 ? url : url.slice(0, end);
    this.querystring = end < 0 ? '' : url.slice(end + 1);
    this.ip = addressOf(req, proxyHops ?? 0);
  }

  get host(): string {
    return this.req.headers.host ?? '';
  }
}
