import type { Catalogue } from '../languages/en.ts';
import type { ActionDescription, ActionResult } from '../records/actions.ts';
import type { MadePage } from '../records/page-shapes.ts';
import { shellWord } from '../records/shell-word.ts';
import { getKeyOf, type Key, type KeyContext } from './key-context.ts';

/** The common parts of all action pages of a key. */
export async function frame(
  context: KeyContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { key: Key }> {
  const key = await getKeyOf(context);
  return { key, crumb: context.crumb, name: key.name, back: context.pathOf(key.id) };
}

/** The page that shows a key, once. */
export function madeKey(
  { deps, pathOf, texts }: KeyContext,
  { id, name, permissions }: Pick<Key, 'id' | 'name' | 'permissions'>,
  { key, words }: { key: string; words: string[] },
): ActionResult {
  return {
    made: {
      crumb: { text: name, href: pathOf(id) },
      heading: texts.keys.made,
      name,
      secret: key,
      words,
      snippets: snippetsFor({ issuer: deps.issuer, texts }, key, permissions),
      facts: [],
    },
  };
}

/** Commands to try a key: they ask the gateway as a proxy does, for the first permission that is not a pattern. */
function snippetsFor(
  { issuer, texts }: { issuer: string; texts: Catalogue },
  key: string,
  permissions: Key['permissions'],
): MadePage['snippets'] {
  const right = permissions.find(({ pattern }) => !pattern.includes('*'));
  const query = new URLSearchParams({
    ...(right && { permission: right.pattern }),
    ...(right?.resource && { resource: right.resource }),
  }).toString();
  const address = `${issuer}/gateway/forward-auth${query && `?${query}`}`;
  return [
    {
      label: 'curl',
      text: `# ${texts.keys.curlNote}\ncurl -i ${shellWord(address)} \\\n  -H 'X-API-Key: ${key}'`,
    },
    { label: texts.keys.environmentVariable, text: `API_KEY='${key}'` },
    {
      label: 'Node.js',
      text: `const response = await fetch('https://api.example', {\n  headers: { 'X-API-Key': process.env.API_KEY },\n});`,
    },
  ];
}
