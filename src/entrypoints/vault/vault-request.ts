import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  clientAddress,
  type EdgeRules,
  inOriginForm,
  type Origin,
  originOf,
  readBody,
  timesSent,
  unknownAddress,
} from '../../platform/http/index.ts';
import { notThere, unsupportedOperation, VaultError } from './answers.ts';
import { truths } from './fields.ts';

export type Operation = 'read' | 'list' | 'write' | 'patch' | 'delete';

const prefix = '/v1/';
/** A value may have 1 MiB; JSON can write it longer. */
export const secretBodyBytes = 4 * 1024 * 1024;
const mostParameters = 1000;
// Reading more of them would delay other requests.
const mostValues = 20_000;
const mostLevels = 200;
const operations: Readonly<Record<string, Operation>> = {
  GET: 'read',
  HEAD: 'read',
  POST: 'write',
  PUT: 'write',
  PATCH: 'patch',
  DELETE: 'delete',
  // The replacement of LIST (server/list-verb.ts).
  LINK: 'list',
};

/** A request to Vault's API: its operation (several methods mean the same) and path. */
export class VaultRequest {
  readonly startedAt = performance.now();
  readonly req: IncomingMessage;
  readonly method: string;
  /** Unchanged, for the log. */
  readonly path: string;
  /** After `/v1/`; a list of a folder has no slash at the end. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly origin: Origin & { request_id: string };
  /** Undefined: the list of proxies is malformed. */
  readonly address: string | undefined;

  /** The response, until it is sent. */
  response: ServerResponse | undefined;

  private constructor(req: IncomingMessage, edge: EdgeRules, target: string) {
    const end = target.indexOf('?');
    this.req = req;
    this.method = req.method === 'LINK' ? 'LIST' : (req.method ?? '');
    this.path = end < 0 ? target : target.slice(0, end);
    this.name = this.path.slice(prefix.length).replace(/\/$/, '');
    this.query = new URLSearchParams(end < 0 ? '' : target.slice(end + 1));
    this.address = clientAddress(edge, req);
    this.origin = originOf(req.headers, this.address ?? unknownAddress);
  }

  /** Whether the client has disconnected, or the server is stopping: then it asks each client to close its connection. */
  get isEnding(): boolean {
    const isClosing = this.req.headers.connection?.toLowerCase() === 'close';
    return this.req.socket.destroyed || (this.response?.shouldKeepAlive === false && !isClosing);
  }

  /** Undefined: it is not for Vault's API. */
  static from(req: IncomingMessage, edge: EdgeRules): VaultRequest | undefined {
    const { url = '' } = req;
    // This line decides nearly every request to this server.
    if (url.startsWith('/') && !url.startsWith(prefix)) return undefined;
    const target = inOriginForm(url);
    return target.startsWith(prefix) ? new VaultRequest(req, edge, target) : undefined;
  }

  /** @throws VaultError 405 */
  get operation(): Operation {
    const operation = operations[this.req.method ?? ''];
    if (!operation) throw unsupportedOperation();
    return operation === 'read' && truths.has(this.query.get('list') ?? '') ? 'list' : operation;
  }

  get request_id(): string {
    return this.origin.request_id;
  }

  /** @throws VaultError 404: namespaces do not exist */
  mustBeInRoot(): void {
    const namespace = this.req.headers['x-vault-namespace'];
    if (namespace === undefined || ['', '/', 'root', 'root/'].includes(String(namespace))) return;
    throw notThere();
  }

  /**
   * The token of the request, in its own header or as a bearer token.
   *
   * @throws VaultError 400: there are two, of which two parties on the path could each read a different one
   */
  get token(): string | undefined {
    const { 'x-vault-token': own, authorization = '' } = this.req.headers;
    for (const name of ['x-vault-token', 'authorization'])
      if (timesSent(this.req.rawHeaders, name) > 1) throw new VaultError(400, `send one ${name} header`);
    if (own) return String(own);
    return /^bearer +(\S+)$/i.exec(authorization)?.[1];
  }

  /**
   * The members of the body; none if there is no body. Vault accepts JSON with any content type.
   *
   * @param mostBytes 64 KiB by default
   * @throws VaultError 400, Problem 413
   */
  async body(mostBytes?: number): Promise<Record<string, unknown>> {
    const bytes = await readBody(this.req, mostBytes);
    if (bytes.length === 0) return {};
    if (!isUtf8(bytes)) throw new VaultError(400, 'error parsing JSON: it is not UTF-8');
    const text = bytes.toString();
    const isForm = this.req.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    if (isForm && !/^\s*[{[]/.test(text)) return parametersOf(text);
    mustBeSmall(text);
    return membersOf(text);
  }
}

/** @throws VaultError 400 */
function parametersOf(text: string): Record<string, unknown> {
  const parameters = new URLSearchParams(text);
  if (parameters.size > mostParameters) throw new VaultError(400, `a form has at most ${mostParameters} parameters`);
  return Object.fromEntries(parameters);
}

/** Counts the values and levels of JSON before it is parsed. @throws VaultError 400 */
function mustBeSmall(json: string): void {
  let [values, level] = [0, 0];
  for (let n = 0; n < json.length; n += 1) {
    const character = json[n];
    if (character === '"') n = endOfText(json, n);
    else if (character === '[' || character === '{') level += 1;
    else if (character === ']' || character === '}') level -= 1;
    else if (character === ',') values += 1;
    if (values >= mostValues) throw new VaultError(400, `the body has more than ${mostValues} values`);
    if (level > mostLevels) throw new VaultError(400, `the body has more than ${mostLevels} levels`);
  }
}

/** The place of the quotation mark that ends a text. */
function endOfText(json: string, start: number): number {
  let n = start + 1;
  while (n < json.length && json[n] !== '"') n += json[n] === '\\' ? 2 : 1;
  return n;
}

function membersOf(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new VaultError(400, 'error parsing JSON');
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed))
    throw new VaultError(400, 'error parsing JSON: it is not an object');
  return parsed as Record<string, unknown>;
}
