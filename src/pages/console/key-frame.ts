import type { Asked, Done } from './acts.ts';
import { crumb, getKeyOf, type Key, keyPath, section } from './api-keys.ts';
import type { MadePage } from './console-pages.ts';
import type { Place } from './place.ts';

/** What all pages of what can be done with a key have in common. */
export async function frame(place: Place): Promise<Pick<Asked, 'section' | 'crumb' | 'name' | 'back'> & { key: Key }> {
  const key = await getKeyOf(place);
  return { key, section, crumb, name: key.name, back: keyPath(key.id) };
}

/** A key, this once. */
export function madeKey(
  { deps }: Place,
  { id, name, permissions }: Pick<Key, 'id' | 'name' | 'permissions'>,
  { key, words }: { key: string; words: string[] },
): Done {
  return {
    made: {
      section,
      crumb: { text: name, href: keyPath(id) },
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
