import { MintedKeyView } from '../../api-keys/index.ts';
import { exactTime } from '../times.ts';
import type { Act, Sent } from './acts.ts';
import { crumb, getKeyOf, type Key, keyPath, section } from './api-keys.ts';
import * as cell from './cells.ts';
import type { Fact, Field } from './console-pages.ts';
import { frame, madeKey } from './key-frame.ts';
import { restrictionFields, restrictionsIn } from './key-restrictions.ts';
import { rightLine, rightsIn } from './rights-lines.ts';

const risks = [
  { value: 'high', text: 'high: it lasts 30 days' },
  { value: 'medium', text: 'medium: it lasts 90 days' },
  { value: 'low', text: 'low: it lasts 180 days' },
];

const saidFields = (key?: Key): Field[] => [
  { name: 'name', label: 'Name', type: 'text', value: key?.name ?? '', is_required: true, hint: 'To know it again.' },
  { name: 'description', label: 'Description', type: 'text', value: key?.description ?? '' },
];

const powerFields = (key?: Key): Field[] => [
  {
    name: 'permissions',
    label: 'What it may',
    type: 'textarea',
    value: key?.permissions.map(rightLine).join('\n') ?? '',
    hint: 'One permission a line, such as orders:read, or orders:read at https://api.example for one API. Nothing that you do not hold.',
  },
  ...restrictionFields(key?.restrictions ?? {}),
];

const riskField = (value: string): Field => ({
  name: 'risk',
  label: 'What its loss would mean',
  type: 'select',
  value,
  options: risks,
});

const mintFields = (environments: readonly string[]): Field[] => [
  ...saidFields(),
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
    hint: 'client_id or username: the key stops while its owner is disabled. Left empty: yourself.',
  },
  {
    name: 'environment',
    label: 'Environment',
    type: 'select',
    value: environments[0] ?? '',
    options: environments.map((value) => ({ value, text: value })),
  },
  ...powerFields(),
  riskField('medium'),
  {
    name: 'expires_in_days',
    label: 'Ends after days',
    type: 'number',
    value: '',
    hint: 'Left empty: as its risk says.',
  },
];

const minting: Act = {
  path: '/new-api-key',
  does: 'POST /api-keys',
  isGrave: true,
  ask: async ({ deps }) => ({
    section,
    crumb,
    heading: 'Which API key should be minted?',
    name: '',
    words: ['You see it once, on the next page. It can do nothing that you may not.'],
    deaths: [],
    fields: mintFields(deps.config.apiKeyEnvironments),
    button: 'Mint the key',
    danger: false,
    back: crumb.href,
  }),
  perform: async (place, sent) => {
    const body = inputIn(sent);
    const { key, ...made } = await place.calls.read('POST /api-keys', MintedKeyView, { body });
    const words = [
      made.expires_at
        ? `It works at once, and ends on ${exactTime(made.expires_at)}.`
        : 'It works at once, and never ends by itself.',
    ];
    return madeKey(place, made, { key, words });
  },
};

function inputIn(sent: Sent): Record<string, unknown> {
  const owner = sent.text('owner');
  const owned = sent.text('kind') === 'user' ? { user: owner } : { client_id: owner };
  const restrictions = withoutNulls(restrictionsIn(sent));
  const days = sent.number('expires_in_days');
  return {
    name: sent.text('name') ?? '',
    ...(sent.text('description') && { description: sent.text('description') }),
    ...(owner && { owner: owned }),
    environment: sent.text('environment') ?? '',
    permissions: rightsIn(sent.text('permissions'), 'permissions'),
    restrictions,
    risk: sent.text('risk'),
    ...(days !== undefined && { expires_in_days: days }),
  };
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

const changeFields = (key: Key): Field[] => [
  ...saidFields(key),
  ...powerFields(key),
  riskField(key.risk),
  {
    name: 'expires_at',
    label: 'Ends (UTC)',
    type: 'datetime-local',
    value: key.expires_at?.toISOString().slice(0, 16) ?? '',
    hint: 'Left empty: never, which needs a permission of its own.',
  },
];

const changing: Act = {
  path: '/api-keys/:key_id/change',
  does: 'PATCH /api-keys/{key_id}',
  isGrave: true,
  ask: async (place) => {
    const { key, ...framed } = await frame(place);
    const fields = changeFields(key);
    return {
      ...framed,
      heading: 'Change',
      words: [
        'Its text stays. What it may counts from the next request on; restrictions of other kinds stay as they are.',
      ],
      deaths: [],
      fields,
      button: 'Save the key',
      danger: false,
      version: key.version,
      present: fields.map(({ label, value }): Fact => ({ label, cell: cell.text(value || 'nothing') })),
    };
  },
  perform: async (place, sent) => {
    const key = await getKeyOf(place);
    await place.calls.act('PATCH /api-keys/{key_id}', {
      params: { key_id: key.id },
      body: changesIn(sent, key),
      ifVersion: sent.version,
    });
    return { to: keyPath(key.id), done: 'saved' };
  },
};

/** Only what was changed, so that the audit log says what, and an end keeps its seconds. */
function changesIn(sent: Sent, key: Key): Record<string, unknown> {
  const shown = new Map(changeFields(key).map(({ name, value }) => [name, value]));
  const isChanged = (name: string) => (sent.text(name) ?? '') !== shown.get(name);
  const { quota, ...lists } = restrictionsIn(sent);
  const restrictions = {
    ...Object.fromEntries(Object.entries(lists).filter(([name]) => isChanged(name))),
    ...((isChanged('day') || isChanged('month')) && { quota }),
  };
  const until = sent.text('expires_at');
  return {
    ...(isChanged('name') && { name: sent.text('name') ?? '' }),
    ...(isChanged('description') && { description: sent.text('description') ?? null }),
    ...(isChanged('permissions') && { permissions: rightsIn(sent.text('permissions'), 'permissions') }),
    ...(Object.keys(restrictions).length > 0 && { restrictions }),
    ...(isChanged('risk') && { risk: sent.text('risk') }),
    ...(isChanged('expires_at') && { expires_at: until === undefined ? null : `${until}:00Z` }),
  };
}

/** Minting an API key, and changing one. */
export const keyForms: Act[] = [minting, changing];
