import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import {
  clientAddress,
  type EdgeRules,
  inOriginForm,
  requestIdFor,
  unknownAddress,
} from '../../platform/http/index.ts';

export const verifyPath = '/gateway/verify';
export const forwardAuthPath = '/gateway/forward-auth';

/** Permission, API and path of the request, in Envoy's form. */
export const extAuthzShape = /^\/gateway\/ext-authz\/([^/]+)\/([^/]+)(\/.*)?$/;

/** The path of a request to the gateway, for metrics; undefined: it is not for the gateway. */
function gatewayTemplate(path: string): string | undefined {
  if (path === verifyPath || path === forwardAuthPath) return path;
  return extAuthzShape.test(path) ? '/gateway/ext-authz' : undefined;
}

/** An object with headers: a request to the gateway, or Koa's context. */
export type HeaderSource = { req: Pick<IncomingMessage, 'headers' | 'rawHeaders'> };

/** A request to the gateway, with the data of the edge. */
export class GatewayRequest implements HeaderSource {
  readonly startedAt = performance.now();
  readonly req: IncomingMessage;
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly request_id: string;
  /** The client's address: the sender's, or the one that a trusted proxy names. Undefined: the proxies' list is malformed. */
  readonly address: string | undefined;

  private constructor(req: IncomingMessage, edge: EdgeRules, { route, path, querystring }: Route) {
    this.req = req;
    this.route = route;
    this.method = req.method ?? '';
    this.path = path;
    this.querystring = querystring;
    this.request_id = requestIdFor(req.headers['x-request-id']);
    this.address = clientAddress(edge, req);
  }

  /** Undefined: the request is not for the gateway. */
  static from(req: IncomingMessage, edge: EdgeRules): GatewayRequest | undefined {
    const route = routeOf(req.url ?? '');
    return route && new GatewayRequest(req, edge, route);
  }

  get headers(): IncomingHttpHeaders {
    return this.req.headers;
  }

  get ip(): string {
    return this.address ?? unknownAddress;
  }
}

type Route = { route: string; path: string; querystring: string };

function routeOf(url: string): Route | undefined {
  // This line decides nearly every request to this server.
  if (url.startsWith('/') && !url.startsWith('/gateway/')) return undefined;
  const [target = ''] = inOriginForm(url).split('#', 1);
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  const route = gatewayTemplate(path);
  return route === undefined ? undefined : { route, path, querystring: end < 0 ? '' : target.slice(end + 1) };
}
