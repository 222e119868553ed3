import type { IncomingMessage } from 'node:http';
import type { Context, Next } from 'koa';
import { Problem } from './problems.ts';

const limitBytes = 64 * 1024;
const maxParameters = 1000;
// NUL and other controls have no place in a parameter, and PostgreSQL refuses NUL in text; tab and line ends may stand in free text.
const controlCharacters = /[^\P{Cc}\t\n\r]|\p{Cs}|\ufffd/u;
const formType = 'application/x-www-form-urlencoded';

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
  refuseControls(ctx.querystring, ctx);
  if (ctx.method === 'POST' && ctx.is(formType)) {
    if (ctx.get('Content-Encoding')) throw unsupportedEncoding();
    const body = await readBody(ctx.req, ctx.request.length);
    refuseControls(body.toString('latin1'), ctx);
    replace(ctx, body);
  }
  await next();
}

/** Lets the rest of the request see another form, e.g. a verified token in place of the presented one. */
export function replaceForm(ctx: Context, parameters: URLSearchParams): void {
  replace(ctx, Buffer.from(parameters.toString()));
}

function replace(ctx: Context, body: Buffer): void {
  // oidc-provider reads the stream itself; it is given what was read here. On the request as it is: an object derived from it
  // would make every later look at the request slow (8 µs and more a request).
  Object.defineProperties(ctx.req, {
    readable: { value: true, configurable: true },
    iterator: {
      value: async function* replay() {
        yield body;
      },
      configurable: true,
    },
  });
  ctx.req.headers['content-length'] = String(body.length);
  forms.set(ctx.res, new URLSearchParams(body.toString()));
}

async function readBody(req: IncomingMessage, length: number | undefined): Promise<Buffer> {
  if (length !== undefined && length > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limitBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // Whoever hangs up in the middle must not look like an outage of ours.
    throw error instanceof Problem || req.complete ? error : hungUp();
  }
  return Buffer.concat(chunks, received);
}

function refuseControls(encoded: string, ctx: Context): void {
  if (!encoded) return;
  const parameters = new URLSearchParams(encoded);
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
