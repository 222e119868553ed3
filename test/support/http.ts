import { request } from 'node:http';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { type Answer, answerOf } from './latchkey.ts';

export type Sent = { method?: string; headers?: Record<string, string>; body?: string };

/** Sends a request unchanged: `fetch` would normalize the path and refuse some methods and headers. */
export function send(
  address: string,
  path: string,
  { method = 'GET', headers = {}, body }: Sent = {},
): Promise<Answer> {
  const { hostname, port, host } = new URL(address);
  const options = { hostname, port, path, method, agent: false, headers: { host, ...headers } };
  return new Promise((resolve, reject) => {
    const sent = request(options, async (response) => {
      const { statusCode: status = 0, rawHeaders } = response;
      const names = rawHeaders.filter((_, n) => n % 2 === 0);
      const received = names.map((name, n): [string, string] => [name, rawHeaders[2 * n + 1] ?? '']);
      const content = await readAll(response);
      resolve(answerOf(new Response(content || null, { status, headers: received })));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Posts a form. */
export function sendForm(
  address: string,
  path: string,
  form: string | Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return send(address, path, { method: 'POST', headers: { ...type, ...headers }, body });
}

export type Exchange = { text: string; isClosed: boolean };

/** Sends bytes on a new connection, and returns the response until the server closes it or the time is over. */
export function exchange(address: string, bytes: string, waitMs: number): Promise<Exchange> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let text = '';
    const end = (isClosed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, isClosed });
    };
    const timer = setTimeout(end, waitMs, false);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('error', () => end(true));
    socket.once('close', () => end(true));
    socket.write(bytes, 'latin1');
  });
}
