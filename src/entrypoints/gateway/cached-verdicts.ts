import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Admission, type Asked, allowed, type KeyUse, type KeyVerifier } from '../../domain/api-keys/index.ts';
import {
  type EarlyAnswer,
  type EdgeRules,
  type IncomingRequest,
  mostBodyBytes,
  parseJson,
  plainlyNames,
  requestIdFor,
} from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { callerAsked } from './callers.ts';
import { callerCredentialOf, credentialOf } from './credentials.ts';
import { forwardAuthPath, questionIn, verifyRequest } from './forward-auth.ts';
import { EarlyInquiry, type Inquiry } from './gateway-request.ts';
import { identityOf, rateLimitHeaders } from './proxy-answers.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import { type Verdict, VerifyRequest } from './schemas.ts';
import { askedOf, ofKey } from './verdicts.ts';
import { verifyPath } from './verify.ts';

export type WarmKeysDeps = RecordDeps & {
  keys: KeyVerifier;
  now: () => Date;
  issuer: string;
  /** Of Latchkey's own API. */
  audience: string;
  /** Services ask under this name; proxies ask about hosts of others. */
  host: string;
  edge: EdgeRules;
  /** Where everything goes that is not answered here. */
  longWay: RequestListener;
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>;
  observe: (answer: EarlyAnswer) => void;
  log: Logger;
};

type Begun = Omit<EarlyAnswer, 'method' | 'path'>;
type BodyToAnswer = { inquiry: Inquiry; caller: string; body: Buffer; begun: Begun };

const toProxy = `${forwardAuthPath}?`;

/**
 * Answers proxies and services about keys that this node has met and that may do what is asked, before anything else looks at the
 * request: most of what a gateway is asked. Whatever else it is (a refusal, a token, an unknown key) goes the long way, and nothing
 * was counted.
 */
export class WarmKeys {
  readonly #deps: WarmKeysDeps;
  readonly #toProxies: readonly string[];
  readonly #toServices: readonly string[];

  constructor(deps: WarmKeysDeps) {
    this.#deps = deps;
    const always = [...Object.entries(deps.headers).flat(), 'Cache-Control', 'no-store'];
    this.#toProxies = [...always, 'Content-Length', '0'];
    this.#toServices = [...always, 'Content-Type', 'application/json; charset=utf-8'];
  }

  /** Takes the request if it may be one of these; otherwise nothing has happened. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method === 'GET' && url.startsWith(toProxy)) return this.#answerProxy(request, response);
    return method === 'POST' && url === verifyPath && this.#answerService(request, response);
  }

  #answerProxy(request: IncomingMessage, response: ServerResponse): boolean {
    const { issuer, keys, now, observe, edge } = this.#deps;
    const begun = begin(request);
    const inquiry = ifPlain(() => new EarlyInquiry(request, edge));
    const asked = inquiry && ifPlain(() => askedByProxy(inquiry, issuer));
    const [met] = (asked && keys.admitMet([asked])) ?? [];
    if (!inquiry || !asked || !met) return false;
    this.#tell(response, () => {
      const { verdict, headers } = toldOf(met.entry, asked.asked);
      const { request_id } = begun;
      recordUse(this.#deps, { request: asked.asked, verdict, from: inquiry.ip, request_id });
      const limits = rateLimitHeaders(met.limits, now()).flat();
      response.writeHead(200, [...this.#toProxies, 'X-Request-Id', request_id, ...headers, ...limits]).end();
      observe({ method: 'GET', path: forwardAuthPath, ...begun });
    });
    return true;
  }

  #answerService(request: IncomingMessage, response: ServerResponse): boolean {
    const { edge, host, longWay } = this.#deps;
    const begun = begin(request);
    const inquiry = ifPlain(() => new EarlyInquiry(request, edge));
    const caller = inquiry && ifPlain(() => callerCredentialOf(inquiry));
    if (!inquiry || !isShortJson(request) || !plainlyNames(host, request) || !caller || !('key' in caller))
      return false;
    whole(request, (body) => {
      if (this.#answerBody(response, { inquiry, caller: caller.key, body, begun })) return;
      (request as IncomingRequest).replaceBody(body);
      longWay(request, response);
    });
    return true;
  }

  #answerBody(response: ServerResponse, { inquiry, caller, body, begun }: BodyToAnswer): boolean {
    const { audience, keys, observe } = this.#deps;
    const asked = ifPlain(() => askedByService(body));
    if (!asked) return false;
    const asking = { key: caller, asked: callerAsked(audience, inquiry) };
    const [by, met] = keys.admitMet([asking, asked]) ?? [];
    if (!by || !met) return false;
    this.#tell(response, () => {
      const { request_id } = begun;
      const { verdict, text } = toldOf(met.entry, asked.asked);
      recordUse(this.#deps, { request: asked.asked, verdict, caller: by.entry.id, from: inquiry.ip, request_id });
      const said = met.limits.length === 0 ? text : JSON.stringify({ ...verdict, limits: met.limits });
      const length = Buffer.byteLength(said);
      const headers = [...this.#toServices, 'Content-Length', String(length), 'X-Request-Id', request_id];
      // Plain ASCII takes the shorter way through Node.
      response.writeHead(200, headers).end(said, length === said.length ? 'latin1' : 'utf8');
      observe({ method: 'POST', path: verifyPath, ...begun });
    });
    return true;
  }

  /** Whatever goes wrong from here on, the long way would count it again. */
  #tell(response: ServerResponse, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'a verdict could not be told');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }
}

function begin({ headers }: IncomingMessage): Begun {
  return { startedAt: performance.now(), request_id: requestIdFor(headers['x-request-id']) };
}

/** What a proxy asks of a key; undefined: it asks something else. @throws Problem */
function askedByProxy(inquiry: Inquiry, issuer: string): KeyUse | undefined {
  const question = questionIn(inquiry);
  const credential = question && credentialOf(inquiry, issuer);
  if (!credential || !('key' in credential)) return undefined;
  return { key: credential.key, asked: askedOf(verifyRequest(inquiry, question, credential)) };
}

/** What a service asks of one key; undefined: it asks something else. @throws Problem */
function askedByService(body: Buffer): KeyUse | undefined {
  const { data: request } = VerifyRequest.safeParse(parseJson(body.toString()));
  if (request?.key === undefined) return undefined;
  return { key: request.key, asked: askedOf(request) };
}

/** What is told of a key that may do what is asked, its limits apart: as members, as headers, as JSON. */
type Told = { verdict: Verdict; headers: readonly string[]; text: string };

// By what a key may do at an API, which is remembered with the key (`compileKey`) and goes with it.
const told = { permitted: new WeakMap<readonly string[], Told>(), authentic: new WeakMap<readonly string[], Told>() };

function toldOf(entry: Admission['entry'], { needs, resource }: Asked): Told {
  const permissions = entry.permissionsAt(resource);
  const prepared = needs === undefined ? told.authentic : told.permitted;
  const known = prepared.get(permissions);
  if (known) return known;
  const verdict = ofKey({ ...allowed({ needs }), limits: [], entry }, resource);
  const made = { verdict, headers: identityOf(verdict).flat(), text: JSON.stringify(verdict) };
  prepared.set(permissions, made);
  return made;
}

/** Undefined for what is refused, or fails: it does so, and hears why, on the long way. */
function ifPlain<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Calls back with the body of a request of known length, as soon as all of it is here. */
function whole(request: IncomingMessage, read: (body: Buffer) => void): void {
  const length = Number(request.headers['content-length']);
  const chunks: Buffer[] = [];
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    chunks.push(chunk);
    if (received === length) read(chunks.length === 1 ? chunk : Buffer.concat(chunks));
  });
}

/** What the long way would read as JSON, of a length that is known and bounded. */
function isShortJson({ headers }: IncomingMessage): boolean {
  const { 'content-type': type, 'content-length': length = '', 'content-encoding': encoding } = headers;
  const isJson = type === 'application/json' || type === 'application/json; charset=utf-8';
  return isJson && encoding === undefined && /^[1-9]\d{0,5}$/.test(length) && Number(length) <= mostBodyBytes;
}
