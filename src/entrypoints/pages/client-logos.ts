import type Router from '@koa/router';
import type { Context } from 'koa';
import { findLogoDigest, findLogoDigests, findLogoImage } from '../../domain/client-logos/index.ts';
import type { Db } from '../../platform/database/index.ts';
import { notFound } from '../../platform/http/index.ts';
import type { PagesDeps } from './pages.ts';

const digestShape = /^[0-9a-f]{64}$/;

/**
 * The logos of clients, from this origin: the URL of a client is fetched by this server and never by a browser. The name is the digest of
 * the image, so it reveals nothing about clients and its content never changes.
 */
export function clientLogoRoutes(router: Router, { db }: PagesDeps): void {
  router.get('/client-logos/:digest', async (ctx: Context) => {
    const { digest } = ctx.params;
    const logo = digestShape.test(digest) ? await findLogoImage(db, digest) : undefined;
    if (!logo) throw notFound('logo', String(digest).slice(0, 64));
    ctx.set({
      'Cache-Control': 'public, max-age=31536000, immutable',
      // Whatever else these bytes may be, browsers treat them only as an image here.
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Cross-Origin-Resource-Policy': 'same-origin',
    });
    ctx.type = logo.content_type;
    ctx.body = logo.image;
  });
}

/** The address of a client's logo; undefined: there is none that could be fetched. */
export async function clientLogoPath(db: Db, client_id: string): Promise<string | undefined> {
  const digest = await findLogoDigest(db, client_id);
  return digest && pathOf(digest);
}

/** The same of several clients, by their `client_id`. */
export async function clientLogoPaths(db: Db, client_ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const digests = await findLogoDigests(db, client_ids);
  return new Map([...digests].map(([client_id, digest]) => [client_id, pathOf(digest)]));
}

const pathOf = (digest: string) => `/client-logos/${digest}`;
