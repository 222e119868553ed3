import { Risk, riskDays } from '../../../domain/credentials/index.ts';
import { Problem } from '../../../platform/http/index.ts';
import type { Action, FormInput } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import type { Fact, Field, Option } from '../records/page-shapes.ts';
import { rightLine, rightsIn } from '../records/rights-lines.ts';
import { exactTime } from '../times.ts';
import { frame, madeKey } from './frame.ts';
import { getKeyOf, type Key, type KeyContext } from './key-context.ts';
import { labelFields, labelsIn } from './labels.ts';
import { restrictionFields, restrictionsIn } from './restrictions.ts';

const risks = Risk.options.map((value) => ({ value, text: `${value}: it lasts ${riskDays[value]} days` }));

const saidFields = (key?: Key): Field[] => [
  { name: 'name', label: 'Name', type: 'text', value: key?.name ?? '', is_required: true, hint: 'To know it again.' },
  { name: 'description', label: 'Description', type: 'text', value: key?.description ?? '' },
];

/** What a key may: ticked of what there is to choose from, the rest typed. */
function powerFields(held: readonly Option[], key?: Key): Field[] {
  const lines = key?.permissions.map(rightLine) ?? [];
  const choices = new Set(held.map(({ value }) => value));
  const example = 'One permission a line, such as orders:read, or orders:read at https://api.example for one API.';
  const typed: Field = {
    name: 'permissions',
    label: choices.size > 0 ? 'And what else it may' : 'What it may',
    type: 'textarea',
    value: lines.filter((line) => !choices.has(line)).join('\n'),
    hint: `${choices.size > 0 ? 'Parts of the above.' : ''} ${example} Nothing that you do not hold.`.trim(),
  };
  const ticked: Field = {
    name: 'held',
    label: 'What it may, of what you may',
    type: 'choices',
    value: lines.filter((line) => choices.has(line)).join('\n'),
    options: held,
  };
  return [...(choices.size > 0 ? [ticked] : []), typed, ...restrictionFields(key?.restrictions ?? {})];
}

const linesOfRights = (sent: FormInput) => [...new Set([...sent.lines('held'), ...sent.lines('permissions')])];
const rightsAskedFor = (sent: FormInput) => rightsIn(linesOfRights(sent).join('\n'), 'permissions');

const riskField = (value: string): Field => ({
  name: 'risk',
  label: 'Risk, if it leaks',
  type: 'select',
  value,
  options: risks,
});

const ownerFields: Field[] = [
  {
    name: 'kind',
    label: 'It belongs to',
    type: 'select',
    value: 'client',
    options: [
      { value: 'client', text: 'a client' },
      { value: 'user', text: 'a person' },
    ],
  },
  {
    name: 'owner',
    label: 'Owner',
    type: 'text',
    value: '',
    hint: 'The client_id, or the username of the user. The key stops while its owner is disabled. Left empty: yourself.',
  },
];

async function mintFields({ deps, isOwn, held }: KeyContext): Promise<Field[]> {
  const environments = deps.config.apiKeyEnvironments;
  return [
    ...saidFields(),
    ...(isOwn ? [] : ownerFields),
    {
      name: 'environment',
      label: 'Environment',
      type: 'select',
      value: environments[0] ?? '',
      options: environments.map((value) => ({ value, text: value })),
    },
    ...powerFields(await held()),
    riskField('medium'),
    {
      name: 'expires_in_days',
      label: 'Ends after how many days',
      type: 'number',
      value: '',
      hint: 'Left empty: as its risk says.',
    },
    ...(isOwn ? [] : labelFields()),
  ];
}

/** Minting a key, on a page of this path. */
export const minting = (path: string): Action<KeyContext> => ({
  path,
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Which API key should be minted?',
    name: '',
    words: ['You see it once, on the next page. It can do nothing that you may not.'],
    impact: [],
    fields: await mintFields(context),
    button: 'Mint the key',
    danger: false,
    back: context.crumb.href,
  }),
  perform: async (context, sent) => {
    const { key, ...made } = await context.keys.mint(inputIn(context, sent)).catch(besideRights);
    const words = [
      made.expires_at
        ? `It works at once, and ends on ${exactTime(made.expires_at)}.`
        : 'It works at once, and never ends by itself.',
    ];
    return madeKey(context, made, { key, words });
  },
});

function inputIn({ isOwn }: KeyContext, sent: FormInput): Record<string, unknown> {
  const owner = sent.text('owner');
  const owned = sent.text('kind') === 'user' ? { user: owner } : { client_id: owner };
  const days = sent.number('expires_in_days');
  return {
    name: sent.text('name') ?? '',
    ...(sent.text('description') && { description: sent.text('description') }),
    ...(!isOwn && owner && { owner: owned }),
    environment: sent.text('environment') ?? '',
    permissions: rightsAskedFor(sent),
    restrictions: withoutNulls(restrictionsIn(sent)),
    risk: sent.text('risk'),
    ...(days !== undefined && { expires_in_days: days }),
    ...(!isOwn && labelsIn(sent)),
  };
}

/** What they may not give is told beside what they asked for. */
function besideRights(error: unknown): never {
  if (!(error instanceof Problem) || error.status !== 403 || error.options.pointer) throw error;
  throw new Problem(403, error.type, { ...error.options, pointer: '/permissions' });
}

/** What is left empty, as the API has it where there was nothing before. */
function withoutNulls(written: Record<string, unknown>): Record<string, unknown> {
  const present = Object.entries(written).filter(([, value]) => value !== null);
  return Object.fromEntries(
    present.map(([name, value]) => [name, isRecord(value) ? withoutNulls(value) : value] as const),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const changeFields = ({ isOwn }: KeyContext, held: readonly Option[], key: Key): Field[] => [
  ...saidFields(key),
  ...powerFields(held, key),
  riskField(key.risk),
  {
    name: 'expires_at',
    label: 'Ends (UTC)',
    type: 'datetime-local',
    value: key.expires_at?.toISOString().slice(0, 16) ?? '',
    hint: 'Left empty: never, which needs a permission of its own.',
  },
  ...(isOwn ? [] : labelFields(key)),
];

export const changing: Action<KeyContext> = {
  path: '/:key_id/change',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    const fields = changeFields(context, await context.held(), key);
    return {
      ...framed,
      heading: 'Change',
      words: [
        'Its text stays. What it may counts from the next request on; restrictions of other kinds stay as they are.',
      ],
      impact: [],
      fields,
      button: 'Save the key',
      danger: false,
      version: key.version,
      present: fields.map(({ label, value }): Fact => ({ label, cell: cell.text(value || 'nothing') })),
    };
  },
  perform: async (context, sent) => {
    const key = await getKeyOf(context);
    const fields = changeFields(context, [], key);
    await context.keys.change(key.id, changesIn(sent, key, fields), sent.version).catch(besideRights);
    return { to: context.pathOf(key.id), done: 'saved' };
  },
};

/** Only what was changed, so that the audit log says what, and an end keeps its seconds. */
function changesIn(sent: FormInput, key: Key, fields: readonly Field[]): Record<string, unknown> {
  const shown = new Map(fields.map(({ name, value }) => [name, value]));
  const isChanged = (name: string) => shown.has(name) && (sent.text(name) ?? '') !== shown.get(name);
  const { quota, ...lists } = restrictionsIn(sent);
  const restrictions = {
    ...Object.fromEntries(Object.entries(lists).filter(([name]) => isChanged(name))),
    ...((isChanged('day') || isChanged('month')) && { quota }),
  };
  const labels = Object.entries(labelsIn(sent, key)).filter(([name]) => isChanged(name));
  const until = sent.text('expires_at');
  return {
    ...(isChanged('name') && { name: sent.text('name') ?? '' }),
    ...(isChanged('description') && { description: sent.text('description') ?? null }),
    ...(areOther(linesOfRights(sent), key.permissions.map(rightLine)) && { permissions: rightsAskedFor(sent) }),
    ...(Object.keys(restrictions).length > 0 && { restrictions }),
    ...(isChanged('risk') && { risk: sent.text('risk') }),
    ...(isChanged('expires_at') && { expires_at: until === undefined ? null : `${until}:00Z` }),
    ...Object.fromEntries(labels),
  };
}

const areOther = (some: readonly string[], others: readonly string[]) =>
  [...some].sort().join('\n') !== [...new Set(others)].sort().join('\n');
