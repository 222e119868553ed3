import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** An error of Node's parser, with the unparsed bytes. */
type ParserError = Error & { code?: string; rawPacket?: Buffer; bytesParsed?: number };
/** Node's data about a connection: its parser, and the response that it is writing. */
type ParsedSocket = Socket & { parser?: { remove: () => void } | null; _httpMessage?: object | null };

const sent = Buffer.from('LIST ');
const taken = Buffer.from('LINK ');
const beginning = 'LIST /v1/';

/**
 * A connection on which a client uses the method LIST, which Vault has and Node's parser refuses. The method is replaced by another name of
 * the same length, so that all other bytes keep their position; the start of a request is known while none is in flight.
 */
class ListingConnection extends Duplex {
  readonly #socket: Socket;
  isBetweenRequests = true;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.receive(bytes));
    socket.once('end', () => this.push(null));
    socket.once('close', () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  receive(bytes: Buffer): void {
    const isList = this.isBetweenRequests && bytes.subarray(0, sent.length).equals(sent);
    this.isBetweenRequests = false;
    const given = isList ? Buffer.concat([taken, bytes.subarray(sent.length)]) : bytes;
    if (!this.push(given)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** Notifies a connection that uses LIST when a request is over. Others are not affected. */
export function watchListingConnections(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request as { socket: unknown };
    if (!(socket instanceof ListingConnection)) return;
    response.once('close', () => {
      // The unread rest of a body could look like a request.
      if (request.complete) socket.isBetweenRequests = true;
    });
  });
}

/**
 * Handles a connection on which Node's parser met LIST at the beginning of a request for Vault's API.
 *
 * @returns whether it did; false: it is another error
 */
export function takeListingConnection(server: Server, error: ParserError, socket: Socket): boolean {
  const { code, rawPacket, bytesParsed = Number.POSITIVE_INFINITY } = error;
  const { parser, _httpMessage: answering } = socket as ParsedSocket;
  // The method itself was not parsed: later bytes in a packet may be part of a body.
  const isList = code === 'HPE_INVALID_METHOD' && bytesParsed < sent.length;
  if (!isList || !rawPacket || answering || !parser) return false;
  if (rawPacket.subarray(0, beginning.length).toString('latin1') !== beginning) return false;
  socket.removeAllListeners('data');
  // Its timeouts would close the connection.
  parser.remove();
  const connection = new ListingConnection(socket);
  server.emit('connection', connection);
  connection.receive(rawPacket);
  socket.resume();
  return true;
}
