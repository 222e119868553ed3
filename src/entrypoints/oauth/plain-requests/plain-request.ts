import type { IncomingMessage } from 'node:http';
import {
  clientAddress,
  type EdgeRules,
  IncomingRequest,
  originOf,
  plainlyNames,
  readBody,
} from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';

const mostBodyBytes = 8 * 1024;
// As other programs spell it, and as `fetch` does.
const formTypes: ReadonlySet<string | undefined> = new Set([
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded;charset=UTF-8',
]);
// Headers of browsers, of bound senders, or of another body format: with these a request is not plain.
const unusualHeaders = [
  'origin',
  'dpop',
  'transfer-encoding',
  'content-encoding',
  'expect',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
] as const;
const plainPaths: ReadonlySet<string | undefined> = new Set([routes.token, routes.introspection]);

/** What the edge needs to check a request. */
export type PlainRules = {
  edge: EdgeRules;
  /** The host of the issuer; requests for another take the normal path. */
  host: string;
  /** The header in which a proxy passes on a client's certificate, in lower case. */
  certificateHeader: string | undefined;
};

/** A POST of a short form to a hot endpoint, without unusual headers. */
export class PlainRequest {
  readonly startedAt = performance.now();
  readonly method = 'POST';
  readonly req: IncomingRequest;
  readonly path: string;

  private constructor(req: IncomingRequest) {
    this.req = req;
    this.path = req.url ?? '';
  }

  /** Undefined: the request is not plain, and every step so far can be repeated. */
  static from(req: IncomingMessage, rules: PlainRules): PlainRequest | undefined {
    if (!plainPaths.has(req.url) || req.method !== 'POST' || !(req instanceof IncomingRequest)) return undefined;
    if (!hasPlainHeaders(req, rules)) return undefined;
    const address = clientAddress(rules.edge, req);
    if (address === undefined || !plainlyNames(rules.host, req)) return undefined;
    req.origin = originOf(req.headers, address);
    return new PlainRequest(req);
  }

  get headers(): IncomingMessage['headers'] {
    return this.req.headers;
  }

  get request_id(): string {
    return this.req.origin?.request_id ?? '';
  }

  /** The whole body. @throws Problem 400: the client disconnected before its end */
  read(): Promise<Buffer> {
    return readBody(this.req, mostBodyBytes);
  }
}

function hasPlainHeaders({ headers }: IncomingRequest, { certificateHeader }: PlainRules): boolean {
  const length = Number(headers['content-length']);
  if (!formTypes.has(headers['content-type']) || !(length > 0 && length <= mostBodyBytes)) return false;
  if (certificateHeader !== undefined && headers[certificateHeader] !== undefined) return false;
  return unusualHeaders.every((name) => headers[name] === undefined);
}

// Printable ASCII, percent-encoded where it must be (WHATWG URL §5.1).
const plainForm = /^(?:[\w.~*+&=-]|%(?:[2-6][\dA-Fa-f]|7[\dA-Ea-e]))+$/;

/**
 * The parameters of a form. Undefined: it is not plain, because one is duplicate, empty, or unknown.
 */
export function plainParameters(body: Buffer, known: ReadonlySet<string>): Partial<Record<string, string>> | undefined {
  const text = body.toString('latin1');
  if (!plainForm.test(text)) return undefined;
  const parameters: Partial<Record<string, string>> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (!known.has(name) || value === '' || parameters[name] !== undefined) return undefined;
    parameters[name] = value;
  }
  return parameters;
}
