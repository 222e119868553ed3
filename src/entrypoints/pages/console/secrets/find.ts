import { invalid } from '../../../../platform/http/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { Fact } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { Action, ActionDescription, ActionResult } from '../actions.ts';
import { secretPath } from './addresses.ts';
import { mustBeAllowedAnywhere } from './secret.ts';

type Crumb = ActionDescription['crumb'];
type Search = AdminAnswer<'POST /secret-searches'>;

/** Finds the secrets with a given value, such as one that leaked. The value is in no address and on no page. */
export const findingValue: Action = {
  path: '/find-secret',
  route: 'POST /secret-searches',
  confirmsFirst: true,
  describe: async (context) => {
    await mustBeAllowedAnywhere(context, 'read');
    return page(context.crumb);
  },
  perform: async ({ api, crumb }, sent) => {
    const value = sent.text('value');
    if (value === undefined) throw invalid('/value', 'Enter the value.');
    const searches: Search[] = [];
    for (const text of writtenAs(value))
      searches.push(await api.call('POST /secret-searches', { body: { value: text } }));
    return found(crumb, searches);
  },
};

const page = (crumb: Crumb): ActionDescription => ({
  ...{ crumb, heading: 'Find value', name: '', impact: [] },
  words: [
    'Finds the secrets that have this value, such as a leaked one, among those that you can read. The search is recorded with a hash of the value.',
  ],
  fields: [
    {
      ...{ name: 'value', label: 'Value', type: 'textarea', value: '', is_required: true, is_secret: true },
      hint: 'The exact text of a part, such as a password or a private key. Spaces around it are removed.',
    },
  ],
  ...{ button: 'Find value', danger: false, back: crumb.href },
});

/** A text of several lines, such as a key in PEM, is mostly stored with a line end, which a form does not keep. */
const writtenAs = (value: string): string[] => (value.includes('\n') ? [value, `${value}\n`] : [value]);

function found(crumb: { text: string; href: string }, searches: readonly Search[]): ActionResult {
  const items = searches.flatMap((search) => search.items);
  const has = items.length === 1 ? 'has' : 'have';
  const words =
    items.length === 0
      ? 'No secret that you may read has this value.'
      : `${counted(items.length, 'version')} of secrets that you may read ${has} this value.`;
  const hashes = searches.map(({ hash }) => ({ label: 'Hash in audit events', cell: cell.copied(hash) }));
  return {
    made: {
      ...{ crumb, heading: 'Search result', name: '', secret: undefined, words: [words], snippets: [] },
      facts: [...items.map(factOf), ...hashes],
      facts_heading: items.length === 0 ? 'Search' : 'Versions with this value',
    },
  };
}

function factOf({ path, number, part, is_current, destroyed }: Search['items'][number]): Fact {
  const states = [...(destroyed ? ['destroyed'] : []), ...(is_current && !destroyed ? ['current'] : [])];
  const label = [`Version ${number}`, `part ${part}`, ...states].join(', ');
  return { label, cell: cell.link(path, secretPath(path)) };
}
