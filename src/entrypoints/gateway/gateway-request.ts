import type { IncomingMessage } from 'node:http';
import { clientAddress, type EdgeRules, malformedChain } from '../../platform/http/index.ts';

/** A request to the gateway as it is looked at: Koa's context is one, and what stands for it before Koa. */
export type Inquiry = {
  req: IncomingMessage;
  method: string;
  path: string;
  querystring: string;
  host: string;
  /** The client's address: of whoever asks, or of whom a trusted proxy asks for. */
  ip: string;
};

/** A request before Koa, of which nothing is looked at before it is needed. */
export class EarlyInquiry implements Inquiry {
  readonly req: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly ip: string;

  constructor(req: IncomingMessage, edge: EdgeRules) {
    const { method = '', url = '' } = req;
    const end = url.indexOf('?');
    this.req = req;
    this.method = method;
    this.path = end < 0 ? url : url.slice(0, end);
    this.querystring = end < 0 ? '' : url.slice(end + 1);
    const ip = clientAddress(edge, req);
    if (ip === undefined) throw malformedChain(edge);
    this.ip = ip;
  }

  get host(): string {
    return this.req.headers.host ?? '';
  }
}
