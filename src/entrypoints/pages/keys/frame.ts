import type { ActionDescription, ActionResult } from '../records/actions.ts';
import type { MadePage } from '../records/page-shapes.ts';
import { getKeyOf, type Key, type KeyContext } from './key-context.ts';

/** What all pages of what can be done with a key have in common. */
export async function frame(
  context: KeyContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { key: Key }> {
  const key = await getKeyOf(context);
  return { key, crumb: context.crumb, name: key.name, back: context.pathOf(key.id) };
}

/** A key, this once. */
export function madeKey(
  { deps, pathOf }: KeyContext,
  { id, name, permissions }: Pick<Key, 'id' | 'name' | 'permissions'>,
  { key, words }: { key: string; words: string[] },
): ActionResult {
  return {
    made: {
      crumb: { text: name, href: pathOf(id) },
      heading: 'Here is the new key',
      name,
      secret: key,
      words,
      pastes: keyPastes(deps.issuer, key, permissions),
    },
  };
}

/** What tries out a key: asking the gateway as a proxy would, for the first permission that is one and no pattern. */
function keyPastes(issuer: string, key: string, permissions: Key['permissions']): MadePage['pastes'] {
  const right = permissions.find(({ pattern }) => !pattern.includes('*'));
  const query = new URLSearchParams({
    ...(right && { permission: right.pattern }),
    ...(right?.resource && { resource: right.resource }),
  }).toString();
  const address = `${issuer}/gateway/forward-auth${query && `?${query}`}`;
  return [
    { title: 'Try it: 401, 403 and 429 say why it may not', text: `curl -i '${address}' \\\n  -H 'X-API-Key: ${key}'` },
    { title: 'As an environment variable', text: `API_KEY='${key}'` },
  ];
}
