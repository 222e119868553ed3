import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** What a client may still send after an answer that ends the connection, and how long (ms) it has for that. */
const mostDiscardedBytes = 16 * 1024 * 1024;
const mostMs = 5_000;

/** A connection, with Node's parser of it. */
type ParsedSocket = Socket & { parser?: { incoming: IncomingMessage | null; remove: () => void } | null };

/**
 * Closes connections in stages where an answer with `Connection: close` is written before all of its request came, such as 413. A connection
 * that closes with unread bytes is reset, and a client that is still sending loses the answer (RFC 9112 §9.6).
 */
export function closeUnreadRequestsInStages(server: Server): void {
  server.on('connection', (socket: ParsedSocket) => {
    const destroySoon = socket.destroySoon?.bind(socket);
    // Node calls this after such an answer.
    socket.destroySoon = () => {
      const { incoming } = socket.parser ?? {};
      if (destroySoon && (!incoming || incoming.complete)) destroySoon();
      else closeInStages(socket);
    };
  });
}

/** Writes no more, and discards for a while what the client still sends. */
export function closeInStages(socket: ParsedSocket): void {
  socket.removeAllListeners('data');
  // What follows may look like a request, and must not be taken for one.
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
