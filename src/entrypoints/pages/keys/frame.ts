import type { ActionDescription, ActionResult } from '../records/actions.ts';
import type { MadePage } from '../records/page-shapes.ts';
import { shellWord } from '../records/shell-word.ts';
import { getKeyOf, type Key, type KeyContext } from './key-context.ts';

/** What the pages of all actions on a key have in common. */
export async function frame(
  context: KeyContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { key: Key }> {
  const key = await getKeyOf(context);
  return { key, crumb: context.crumb, name: key.name, back: context.pathOf(key.id) };
}

/** The page that shows a key, this once. */
export function madeKey(
  { deps, pathOf }: KeyContext,
  { id, name, permissions }: Pick<Key, 'id' | 'name' | 'permissions'>,
  { key, words }: { key: string; words: string[] },
): ActionResult {
  return {
    made: {
      crumb: { text: name, href: pathOf(id) },
      heading: 'API key created',
      name,
      secret: key,
      words,
      snippets: snippetsFor(deps.issuer, key, permissions),
      facts: [],
    },
  };
}

/** Commands that try a key out: they ask the gateway as a proxy does, for the first permission that is not a pattern. */
function snippetsFor(issuer: string, key: string, permissions: Key['permissions']): MadePage['snippets'] {
  const right = permissions.find(({ pattern }) => !pattern.includes('*'));
  const query = new URLSearchParams({
    ...(right && { permission: right.pattern }),
    ...(right?.resource && { resource: right.resource }),
  }).toString();
  const address = `${issuer}/gateway/forward-auth${query && `?${query}`}`;
  return [
    {
      label: 'curl',
      text: `# 200: accepted; 401, 403 and 429 say why not\ncurl -i ${shellWord(address)} \\\n  -H 'X-API-Key: ${key}'`,
    },
    { label: 'Environment variable', text: `API_KEY='${key}'` },
    {
      label: 'Node.js',
      text: `const response = await fetch('https://api.example', {\n  headers: { 'X-API-Key': process.env.API_KEY },\n});`,
    },
  ];
}
