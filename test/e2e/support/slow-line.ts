import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Listener } from './listener.ts';

const pieces = 6;
const pauseMs = 100;

/** A connection to a server on which pages arrive piece by piece, slowly enough for a browser to show incomplete pages. */
export function slowLine(server: { issuer: string }): Listener {
  return new Listener((request, response) => void forward(server.issuer, request, response));
}

async function forward(issuer: string, { url }: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await fetch(`${issuer}${url}`);
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' });
  const size = Math.ceil(body.length / pieces);
  const isPage = answer.headers.get('content-type')?.startsWith('text/html') ?? false;
  for (let at = 0; at < body.length; at += size) {
    response.write(body.subarray(at, at + size));
    if (isPage) await pause(pauseMs);
  }
  response.end();
}
