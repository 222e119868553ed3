import type { z } from 'zod';
import type { Actor } from '../../platform/http/index.ts';
import { allows } from '../access/index.ts';
import { type SearchDeps as KindDeps, type KindSearch, kindSearches } from './kinds.ts';
import type { SearchQuery, SearchView } from './schemas.ts';

export type SearchDeps = KindDeps;
/** The records of one kind that were found. */
export type FoundKind = z.output<typeof SearchView>;

/**
 * Records of the kinds that the actor may read, a few of each; kinds without matches are left out. Every search uses an index, or a
 * small table.
 */
export async function search(
  deps: SearchDeps,
  actor: Actor,
  { q, limit }: z.output<typeof SearchQuery>,
): Promise<FoundKind[]> {
  const text = q.trim();
  if (text === '') return [];
  const readable = kindSearches.filter(({ permission }) => allows(actor.permissions, permission));
  const found = await Promise.all(readable.map((kind) => searchKind(deps, kind, { text, limit })));
  return found.filter(({ items }) => items.length > 0);
}

async function searchKind(
  deps: SearchDeps,
  { kind, find }: KindSearch,
  { text, limit }: { text: string; limit: number },
): Promise<FoundKind> {
  const items = [...new Map((await find(deps, text, limit + 1)).map((item) => [item.id, item])).values()];
  return { kind, items: items.slice(0, limit), has_more: items.length > limit };
}
