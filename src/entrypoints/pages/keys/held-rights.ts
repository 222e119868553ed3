import { listHeldRights, type Right } from '../../../domain/access/index.ts';
import { findResourceServer } from '../../../domain/resource-servers/index.ts';
import { type Actor, Problem } from '../../../platform/http/index.ts';
import type { PagesDeps } from '../pages.ts';
import type { Option } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';

// As many as a key may have; what else somebody holds can be typed.
const mostChoices = 200;

/** What a person holds by their roles of this moment, each once. */
export async function heldRights({ db, now }: PagesDeps, { subject_id = '' }: Actor): Promise<Right[]> {
  const held = await listHeldRights(db, subject_id, now());
  return [...new Map(held.map((right) => [rightLine(right), right])).values()];
}

/** Why somebody can mint no key, and who can help. */
export const nothingHeld = (brand: string) =>
  `A key may only what you may yourself, and your account has no role that lets it do anything at an API. Ask somebody who administers ${brand} to give you one; then you can mint a key here.`;

/** @throws Problem 403: there is nothing that a key of theirs could do */
export function mustHoldSomething({ config }: PagesDeps, rights: Right[]): Right[] {
  if (rights.length > 0) return rights;
  const title = 'There is nothing that a key of yours could do';
  throw new Problem(403, 'forbidden', { title, detail: nothingHeld(config.brandName) });
}

/** What is held, to be ticked: in the words of the API where it has some. */
export async function rightOptions({ db }: PagesDeps, rights: readonly Right[]): Promise<Option[]> {
  const resources = [...new Set(rights.flatMap(({ resource }) => resource ?? []))];
  const servers = new Map(
    await Promise.all(resources.map(async (id) => [id, await findResourceServer(db, id)] as const)),
  );
  return rights.slice(0, mostChoices).map((right) => {
    const server = right.resource === null ? undefined : servers.get(right.resource);
    const known = server?.permissions.find(({ name }) => name === right.pattern);
    const where = right.resource === null ? 'at every API' : `at ${server?.name ?? right.resource}`;
    const isWide = /^(\*|latchkey|secrets)(:|$)/.test(right.pattern);
    return {
      value: rightLine(right),
      text: known?.description ?? right.pattern,
      note: known?.description ? `${right.pattern} ${where}` : where,
      is_risky: isWide || (known?.is_sensitive ?? false),
    };
  });
}
