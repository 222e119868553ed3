import { createHash } from 'node:crypto';
import { recogniseImage } from '../../platform/branding/index.ts';
import type { Db } from '../../platform/database/index.ts';
import type { JobHandler } from '../../platform/jobs/index.ts';
import type { Getting } from '../../platform/outbound/index.ts';
import { type DueLogo, dropUnnamedLogos, listDueLogos, saveFailure, saveLogo } from './store.ts';

/** The largest image that is stored, in bytes. */
export const maxLogoBytes = 256 * 1024;

/** The limit for clients that no operator registered: anyone can create these. */
const maxForeignLogoBytes = 64 * 1024;

const atOnce = 5;
const mostARun = 20;

/**
 * The job that fetches the logos of clients whose `logo_uri` is new or changed. An image that is not PNG, JPEG or WebP, is too
 * large, or cannot be read, counts as a failure and is retried a few times at growing intervals. The cause is not stored: an actor who
 * may change a client must not learn what the server can reach.
 */
export function fetchClientLogos({ db, get }: { db: Db; get: Getting }): JobHandler {
  return async () => {
    await dropUnnamedLogos(db);
    const due = await listDueLogos(db, mostARun);
    for (let from = 0; from < due.length; from += atOnce)
      await Promise.all(due.slice(from, from + atOnce).map((each) => fetchOne({ db, get }, each)));
  };
}

async function fetchOne({ db, get }: { db: Db; get: Getting }, { client_id, uri, is_foreign }: DueLogo): Promise<void> {
  const bytes = (await get(uri).catch(() => undefined))?.body;
  const isSmall = bytes !== undefined && bytes.length <= (is_foreign ? maxForeignLogoBytes : maxLogoBytes);
  const image = isSmall ? recogniseImage(bytes) : undefined;
  if (!isSmall || !image) return saveFailure(db, { client_id, uri });
  const digest = createHash('sha256').update(bytes).digest('hex');
  const { content_type } = image;
  return saveLogo(db, { client_id, uri, content_type, image: bytes.toString('base64'), digest });
}
