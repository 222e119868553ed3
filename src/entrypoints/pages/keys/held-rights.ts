import { listHeldRights, type Right } from '../../../domain/access/index.ts';
import { findResourceServer } from '../../../domain/resource-servers/index.ts';
import { type Actor, Problem } from '../../../platform/http/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { PagesDeps } from '../pages.ts';
import type { Option } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';

// As many as a key may have; others can be typed.
const mostChoices = 200;

/** The permissions that a user has by their present roles, each once. */
export async function heldRights({ db, now }: PagesDeps, { subject_id = '' }: Actor): Promise<Right[]> {
  const held = await listHeldRights(db, subject_id, now());
  return [...new Map(held.map((right) => [rightLine(right), right])).values()];
}

/** @throws Problem 403: a key of this user could have no permission */
export function mustHoldSomething({ config }: PagesDeps, rights: Right[], { keys }: Catalogue): Right[] {
  if (rights.length > 0) return rights;
  const detail = keys.nothingHeld({ brand: config.brandName });
  throw new Problem(403, 'nothing_to_give', { title: keys.cannotCreate, detail });
}

/** The held permissions, to select from: with the API's description if it has one. */
export async function rightOptions(
  { db }: PagesDeps,
  rights: readonly Right[],
  { keys }: Catalogue,
): Promise<Option[]> {
  const resources = [...new Set(rights.flatMap(({ resource }) => resource ?? []))];
  const servers = new Map(
    await Promise.all(resources.map(async (id) => [id, await findResourceServer(db, id)] as const)),
  );
  return rights.slice(0, mostChoices).map((right) => {
    const server = right.resource === null ? undefined : servers.get(right.resource);
    const known = server?.permissions.find(({ name }) => name === right.pattern);
    const isWide = /^(\*|latchkey|secrets)(:|$)/.test(right.pattern);
    return {
      value: rightLine(right),
      text: known?.description ?? right.pattern,
      ...(known?.description && { note: right.pattern }),
      is_sensitive: isWide || (known?.is_sensitive ?? false),
      group: right.resource === null ? keys.everyApi : (server?.name ?? right.resource),
    };
  });
}
