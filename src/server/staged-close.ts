import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How much a client may still send after a response that closes the connection, and for how long (ms). */
const mostDiscardedBytes = 16 * 1024 * 1024;
const mostMs = 5_000;

/** A connection, with Node's parser for it. */
type ParsedSocket = Socket & { parser?: { incoming: IncomingMessage | null; remove: () => void } | null };

/**
 * Closes connections in stages if a response with `Connection: close` is written before the whole request arrived, such as 413. A
 * connection that closes with unread bytes is reset, and a client that is still sending loses the response (RFC 9112 §9.6).
 */
export function closeUnreadRequestsInStages(server: Server): void {
  server.on('connection', (socket: ParsedSocket) => {
    const destroySoon = socket.destroySoon?.bind(socket);
    // Node calls this after such a response.
    socket.destroySoon = () => {
      const { incoming } = socket.parser ?? {};
      if (destroySoon && (!incoming || incoming.complete)) destroySoon();
      else closeInStages(socket);
    };
  });
}

/** Writes no more, and discards for a while the bytes that the client still sends. */
export function closeInStages(socket: ParsedSocket): void {
  socket.removeAllListeners('data');
  // The remaining bytes may look like a request, and must not be parsed as one.
  socket.parser?.remove();
  let discarded = 0;
  socket.on('data', ({ length }: Buffer) => {
    discarded += length;
    if (discarded > mostDiscardedBytes) socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(), mostMs);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  socket.end();
}
