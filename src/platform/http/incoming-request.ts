import { IncomingMessage } from 'node:http';
import type { Context } from 'koa';

/** Where a request came from, as the audit log keeps it. */
export type Origin = { address?: string | undefined; user_agent?: string | undefined; request_id?: string | undefined };

/**
 * A request as this server gets it. What is remembered of one is remembered on it: maps of all requests under way, however weak,
 * would be gone through by each garbage collection.
 */
export class IncomingRequest extends IncomingMessage {
  origin: Origin | undefined = undefined;
  /** What came as a form, once it was read. */
  form: URLSearchParams | undefined = undefined;
  #body: Buffer | undefined;

  /** Makes this body readable again: oidc-provider reads the stream itself. */
  replaceBody(body: Buffer): void {
    this.#body = body;
    this.headers['content-length'] = String(body.length);
  }

  /** The body that comes in place of the stream. */
  get replacedBody(): Buffer | undefined {
    return this.#body;
  }

  override iterator(options?: { destroyOnReturn?: boolean }): NodeJS.AsyncIterator<Buffer> {
    return this.#body ? replayed(this.#body) : super.iterator(options);
  }
}

/** The origin of the request being answered. */
export function requestOrigin(ctx: Context): Origin {
  return (ctx.req as IncomingRequest).origin ?? {};
}

// On the class, once: a property of its own would make every later look at a request slow (8 µs and more a request).
Object.defineProperty(IncomingRequest.prototype, 'readable', {
  get(this: IncomingRequest) {
    return this.replacedBody !== undefined || Reflect.get(IncomingMessage.prototype, 'readable', this);
  },
  set(this: IncomingRequest, value: boolean) {
    Reflect.set(IncomingMessage.prototype, 'readable', value, this);
  },
});

async function* replayed(body: Buffer): NodeJS.AsyncIterator<Buffer> {
  yield body;
}
