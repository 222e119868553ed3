import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Context, Next } from 'koa';
import type { IncomingRequest } from './incoming-request.ts';
import { Problem } from './problems.ts';

/** The maximum length of a request body. */
const mostBodyBytes = 64 * 1024;
// oidc-provider accepts no longer form, and calls a longer one malformed.
const mostFormBytes = 56 * 1024;
const maxParameters = 1000;
// NUL and other controls have no place in a parameter, and PostgreSQL refuses NUL in text; tab and line ends may stand in free text.
export const controlCharacters = /[^\P{Cc}\t\n\r]|\p{Cs}|\ufffd/u;
const formType = 'application/x-www-form-urlencoded';

/** The parsed form of this request; empty when it has none. */
export function form(ctx: Context): URLSearchParams {
  return (ctx.req as IncomingRequest).form ?? new URLSearchParams();
}

/**
 * Reads a form once, bounded and without control characters; later readers get the same form.
 *
 * @throws Problem 413 for more than 56 KiB, 415 for a compressed body, 400 for control characters or too many parameters
 */
export async function readForm(ctx: Context, next: Next): Promise<void> {
  if (ctx.querystring) refuseControls(new URLSearchParams(ctx.querystring), ctx);
  if (ctx.method === 'POST' && isForm(ctx)) {
    const body = await readBody(ctx.req, mostFormBytes);
    const parameters = new URLSearchParams(body.toString());
    refuseControls(parameters, ctx);
    remember(ctx, parameters, body);
  }
  await next();
}

/** Most clients send exactly this text. */
const isForm = (ctx: Context) => ctx.req.headers['content-type'] === formType || ctx.is(formType);

/** Lets the rest of the request see another form, e.g. a verified token in place of the presented one. */
export function replaceForm(ctx: Context, parameters: URLSearchParams): void {
  remember(ctx, parameters, Buffer.from(parameters.toString()));
}

function remember(ctx: Context, parameters: URLSearchParams, body: Buffer): void {
  const request = ctx.req as IncomingRequest;
  request.replaceBody(body);
  request.form = parameters;
}

/**
 * The body of a request as text, with a maximum length.
 *
 * @param mostBytes 64 KiB by default
 * @throws Problem 413 for more, 400 when it is cut off or not UTF-8
 */
export async function readText(request: IncomingMessage, mostBytes?: number): Promise<string> {
  const body = await readBody(request, mostBytes);
  if (!isUtf8(body)) throw badForm('The body is not UTF-8.');
  return body.toString();
}

/**
 * The body of a request, read by events: an iterator over a request takes as long as the rest of reading it.
 *
 * @param mostBytes 64 KiB by default
 * @throws Problem 413 for a longer one, 415 for a compressed one, 400 when it is cut off
 */
export function readBody(request: IncomingMessage, mostBytes = mostBodyBytes): Promise<Buffer> {
  const { replacedBody } = request as IncomingRequest;
  const length = lengthOf(request);
  if (request.headers['content-encoding']) return Promise.reject(unsupportedEncoding());
  if (replacedBody) return Promise.resolve(replacedBody);
  if (length === 0 || request.readableEnded) return Promise.resolve(Buffer.alloc(0));
  if (length !== undefined && length > mostBytes) return Promise.reject(tooLarge(mostBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > mostBytes) {
        request.pause();
        reject(tooLarge(mostBytes));
      } else chunks.push(chunk);
      // All of it has arrived; Node emits `end` a few turns later.
      if (received === length) resolve(chunks.length === 1 ? chunk : Buffer.concat(chunks, received));
    });
    request.on('end', () => {
      if (received !== length) resolve(Buffer.concat(chunks, received));
    });
    // A client that disconnects must not be logged as a server error.
    request.on('error', (error) => reject(request.complete ? error : hungUp()));
  });
}

/** The length of the body, if the request states it. */
function lengthOf({ headers: { 'content-length': length } }: IncomingMessage): number | undefined {
  return length === undefined ? undefined : Number(length);
}

function refuseControls(parameters: URLSearchParams, ctx: Context): void {
  if (parameters.size > maxParameters) throw badForm('The request has too many parameters.');
  parameters.forEach((value, name) => {
    if (controlCharacters.test(name) || controlCharacters.test(value)) {
      const shown = controlCharacters.test(name) ? 'A parameter name' : `The parameter "${name.slice(0, 64)}"`;
      ctx.set('Connection', 'close');
      throw badForm(`${shown} contains control characters or is not UTF-8.`);
    }
  });
}

function badForm(detail: string): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}

function hungUp(): Problem {
  return badForm('The request ended before its body did.');
}

function tooLarge(mostBytes: number): Problem {
  return new Problem(413, 'too_large', {
    title: 'Request too large',
    detail: `The request body may have at most ${mostBytes / 1024} KiB.`,
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
