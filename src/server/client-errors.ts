import { createHash, randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { headersForPrograms } from '../platform/http/index.ts';
import { takeListingConnection } from './list-verb.ts';
import { closeInStages } from './staged-close.ts';

export type ClientErrorDeps = {
  /** The maximum size of a request line with its headers, in bytes. */
  maxHeaderBytes: number;
  /** The cookies that are too large; undefined while the server starts. */
  issuer: () => string | undefined;
};

type HttpError = Error & { code?: string };
/** A connection, with the response that Node is writing on it. */
type HttpSocket = Socket & { _httpMessage?: { headersSent: boolean } | null };

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers requests that Node refuses before our code sees them, with the statuses that Node gives them. One with too many headers (RFC 6585
 * §5) mostly comes from a browser with too many cookies, so it gets a page that says what to do.
 */
export function answerClientErrors(server: Server, deps: ClientErrorDeps): void {
  server.on('clientError', (error: HttpError, socket: HttpSocket) => {
    if (takeListingConnection(server, error, socket)) return;
    // Bytes after the start of another response would be read as a part of it.
    if (!socket.writable || socket._httpMessage?.headersSent) {
      socket.destroy(error);
      return;
    }
    socket.write(answerTo(error, deps));
    closeInStages(socket);
  });
}

function answerTo({ code = '' }: HttpError, deps: ClientErrorDeps): string {
  const status = statuses[code] ?? 400;
  const body = status === 431 ? tooLargePage(deps) : '';
  const issuer = deps.issuer() ?? '';
  const headers = {
    ...headersForPrograms(issuer),
    ...(body && {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
      'X-Frame-Options': 'DENY',
    }),
    // The request was not read, so the answer is the same for every caller, and pages of all origins can read it.
    'Access-Control-Allow-Origin': '*',
    'Cache-Control': 'no-store',
    'X-Request-Id': randomUUID(),
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

// In the page itself: a style sheet would be requested with the same cookies.
const style =
  ':root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}';
const styleDigest = createHash('sha256').update(style).digest('base64');
const policy = `default-src 'none'; style-src 'sha256-${styleDigest}'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'`;

function tooLargePage({ maxHeaderBytes, issuer }: ClientErrorDeps): string {
  const host = URL.parse(issuer() ?? '')?.hostname ?? 'this site';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Too many cookies</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Your browser sent too many cookies</h1>
<p>Delete the cookies of ${host} in the settings of your browser, and try again. You have to sign in again.</p>
<details>
<summary>For the operator</summary>
<p>The headers of the request have more than ${maxHeaderBytes} bytes. Other applications on the same domain may have set
large cookies for all of its hosts. <code>LATCHKEY_MAX_HEADER_BYTES</code> sets how many bytes are taken.</p>
</details>
</main>
</body>
</html>
`;
}
