import { isUtf8 } from 'node:buffer';
import { IncomingMessage } from 'node:http';
import type { Context, Next } from 'koa';
import { Problem } from './problems.ts';

/** How long the body of a request may be. */
export const mostBodyBytes = 64 * 1024;
const maxParameters = 1000;
// NUL and other controls have no place in a parameter, and PostgreSQL refuses NUL in text; tab and line ends may stand in free text.
export const controlCharacters = /[^\P{Cc}\t\n\r]|\p{Cs}|\ufffd/u;
const formType = 'application/x-www-form-urlencoded';

/** A request whose body, once it was read here, can be read again as if it had just come: oidc-provider reads the stream itself. */
export class RereadableRequest extends IncomingMessage {
  #body: Buffer | undefined;

  /** Lets whoever comes later read this body. */
  replaceBody(body: Buffer): void {
    this.#body = body;
    this.headers['content-length'] = String(body.length);
  }

  get hasBody(): boolean {
    return this.#body !== undefined;
  }

  override iterator(options?: { destroyOnReturn?: boolean }): NodeJS.AsyncIterator<Buffer> {
    return this.#body ? replayed(this.#body) : super.iterator(options);
  }
}

// On the class, once: a property of its own would make every later look at a request slow (8 µs and more a request).
Object.defineProperty(RereadableRequest.prototype, 'readable', {
  get(this: RereadableRequest) {
    return this.hasBody || Reflect.get(IncomingMessage.prototype, 'readable', this);
  },
  set(this: RereadableRequest, value: boolean) {
    Reflect.set(IncomingMessage.prototype, 'readable', value, this);
  },
});

async function* replayed(body: Buffer): NodeJS.AsyncIterator<Buffer> {
  yield body;
}

const forms = new WeakMap<object, URLSearchParams>();

/** The parsed form of this request; empty when it has none. */
export function form(ctx: Context): URLSearchParams {
  return forms.get(ctx.res) ?? new URLSearchParams();
}

/**
 * Reads a form once, bounded and without control characters, and lets whoever comes later read it again.
 *
 * @throws Problem 413 for more than 64 KiB, 415 for a compressed body, 400 for control characters or too many parameters
 */
export async function readForm(ctx: Context, next: Next): Promise<void> {
  if (ctx.querystring) refuseControls(new URLSearchParams(ctx.querystring), ctx);
  if (ctx.method === 'POST' && ctx.is(formType)) {
    if (ctx.get('Content-Encoding')) throw unsupportedEncoding();
    const body = await readBody(ctx.req, ctx.request.length);
    const parameters = new URLSearchParams(body.toString());
    refuseControls(parameters, ctx);
    remember(ctx, parameters, body);
  }
  await next();
}

/** Lets the rest of the request see another form, e.g. a verified token in place of the presented one. */
export function replaceForm(ctx: Context, parameters: URLSearchParams): void {
  remember(ctx, parameters, Buffer.from(parameters.toString()));
}

function remember(ctx: Context, parameters: URLSearchParams, body: Buffer): void {
  (ctx.req as RereadableRequest).replaceBody(body);
  forms.set(ctx.res, parameters);
}

/**
 * The body of a request as text, bounded.
 *
 * @throws Problem 413 for more than 64 KiB, 400 when it is cut off or not UTF-8
 */
export async function readText(ctx: Context): Promise<string> {
  if (ctx.get('Content-Encoding')) throw unsupportedEncoding();
  const body = await readBody(ctx.req, ctx.request.length);
  if (!isUtf8(body)) throw badForm('The body is not UTF-8.');
  return body.toString();
}

async function readBody(req: IncomingMessage, length: number | undefined): Promise<Buffer> {
  if (length !== undefined && length > mostBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      received += chunk.length;
      if (received > mostBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // Whoever hangs up in the middle must not look like an outage of ours.
    throw error instanceof Problem || req.complete ? error : hungUp();
  }
  return Buffer.concat(chunks, received);
}

function refuseControls(parameters: URLSearchParams, ctx: Context): void {
  if (parameters.size > maxParameters) throw badForm('The request has too many parameters.');
  for (const [name, value] of parameters) {
    if (controlCharacters.test(name) || controlCharacters.test(value)) {
      const shown = controlCharacters.test(name) ? 'A parameter name' : `The parameter "${name.slice(0, 64)}"`;
      ctx.set('Connection', 'close');
      throw badForm(`${shown} contains control characters or is not UTF-8.`);
    }
  }
}

function badForm(detail: string): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}

function hungUp(): Problem {
  return badForm('The request ended before its body did.');
}

function tooLarge(): Problem {
  return new Problem(413, 'too_large', {
    title: 'Request too large',
    detail: 'A request body may have 64 KiB.',
    headers: { Connection: 'close' },
  });
}

function unsupportedEncoding(): Problem {
  return new Problem(415, 'unsupported_encoding', {
    title: 'Unsupported encoding',
    detail: 'Send the request body uncompressed.',
    headers: { Connection: 'close' },
  });
}
