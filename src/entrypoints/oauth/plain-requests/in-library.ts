import type { IncomingHttpHeaders } from 'node:http';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import requests from 'oidc-provider/lib/helpers/als.js';
import type { IncomingRequest } from '../../../platform/http/index.ts';
import { hiddenContext, newLibraryContext } from '../provider/library-seams.ts';
import { runInUnit, Unit } from '../unit-of-work/index.ts';
import type { PlainRequest } from './plain-request.ts';

type Running = {
  provider: Provider;
  /** The library's name of the endpoint. */
  route: 'token' | 'introspection';
  parameters: Partial<Record<string, string>>;
  deps: { refreshGraceSeconds: number };
};

/** The parts of Koa's context that the library's handlers, and our steps around them, use. */
class LightContext {
  readonly req: IncomingRequest;
  readonly path: string;
  readonly method = 'POST';
  readonly oidc: KoaContextWithOIDC['oidc'];
  readonly _matchedRouteName: string;
  status = 200;
  body: object | undefined;

  constructor({ req, path }: PlainRequest, { provider, route, parameters }: Running) {
    this.req = req;
    this.path = path;
    this._matchedRouteName = route;
    this.oidc = Object.assign(newLibraryContext(provider, this), { params: parameters });
  }

  get headers(): IncomingHttpHeaders {
    return this.req.headers;
  }

  get(name: string): string {
    return String(this.req.headers[name.toLowerCase()] ?? '');
  }
}

/** Runs work for a request as the library runs its handlers, in a unit of work without writes. */
export function inLibrary<T>(
  asked: PlainRequest,
  running: Running,
  work: (ctx: KoaContextWithOIDC, unit: Unit) => Promise<T>,
): Promise<T> {
  const ctx = hiddenContext(new LightContext(asked, running));
  const unit = new Unit(asked.req.origin ?? {}, {
    defaultGraceSeconds: running.deps.refreshGraceSeconds,
    isTokenRequest: running.route === 'token',
  });
  return runInUnit(unit, () => requests.run(ctx, () => work(ctx, unit)));
}
