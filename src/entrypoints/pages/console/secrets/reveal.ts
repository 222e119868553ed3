import { asEscape, conflict, invalid, isSeen } from '../../../../platform/http/index.ts';
import type { Snippet } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import type { Action } from '../actions.ts';
import { secretPath } from './addresses.ts';
import { frame } from './secret.ts';

const shownSeconds = 60;
const leastReason = 10;

/** Shows the value of a version, after a reason was entered. The read is recorded with it before the value is sent. */
export const revealing: Action = {
  path: '/secrets/:path/reveal',
  route: 'GET /secrets/{path}/value',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'read');
    const live = secret.versions.filter(({ state }) => state === 'live').toReversed();
    const asked = one(context.ctx.query.version);
    const value = live.some(({ number }) => String(number) === asked) ? asked : String(secret.current_version);
    const nameOf = (number: number) => `v${number}${number === secret.current_version ? ', current' : ''}`;
    return {
      ...framed,
      heading: `Reveal the value of ${secret.path}`,
      words: [
        'The read and your reason are recorded in the audit log before the value is shown. The page closes after one minute.',
      ],
      impact: [],
      fields: [
        {
          name: 'version',
          label: 'Version',
          type: 'select',
          value,
          options: live.map(({ number }) => ({ value: String(number), text: nameOf(number) })),
        },
        {
          name: 'reason',
          label: 'Reason',
          type: 'text',
          value: '',
          is_required: true,
          hint: `At least ${leastReason} characters, for the audit log. Such as the number of a ticket.`,
        },
      ],
      button: 'Reveal value',
      danger: false,
    };
  },
  perform: async ({ api, ctx, params: { path = '' } }, sent) => {
    const reason = sent.text('reason') ?? '';
    if (reason.length < leastReason) throw invalid('/reason', `must have at least ${leastReason} characters`);
    const version = sent.number('version');
    if (version === undefined) throw conflict('This secret has no version that can be read.');
    const query = { version: String(version), reason };
    const { data, number } = await api.call('GET /secrets/{path}/value', { params: { path }, query });
    // It works without JavaScript; the response to a form is not in the browser's history.
    ctx.set('Refresh', `${shownSeconds}; url=${secretPath(path)}`);
    return {
      made: {
        crumb: { text: path, href: secretPath(path) },
        heading: 'Value',
        name: `${path}, version ${number}`,
        secret: undefined,
        words: ['This page closes after one minute. Your read is recorded.'],
        values: Object.entries(data).map(([label, part]) => partOf(label, part)),
        snippets: [],
        facts: [],
      },
    };
  },
};

const lineEnds = /[\n\t]/g;

/** A text that a page would show incompletely, or in another order, is shown as JSON. */
function partOf(label: string, part: unknown): Snippet {
  if (typeof part !== 'string') return { label, text: JSON.stringify(part, undefined, 2) };
  if (isSeen(part.replaceAll(lineEnds, ''))) return { label, text: part };
  return { label: `${label} (escaped, as JSON)`, text: escaped(part) };
}

/** A text as JSON in visible ASCII. */
const escaped = (text: string) => JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, asEscape);
