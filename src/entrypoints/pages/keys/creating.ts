import { readForms } from '../../../domain/restrictions/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { Action, FormInput } from '../records/actions.ts';
import type { Field } from '../records/page-shapes.ts';
import { exactTime } from '../times.ts';
import { besideRights, descriptionField, nameField, permissionFields, rightsAskedFor, riskField } from './fields.ts';
import { madeKey } from './frame.ts';
import type { KeyContext } from './key-context.ts';
import { labelFields, labelsIn } from './labels.ts';
import { restrictionFields } from './restrictions.ts';
import { summaryOf } from './summary.ts';

const clientPrefix = 'client:';

function ownerField({ users, clients }: { users: readonly string[]; clients: readonly string[] }): Field {
  return {
    name: 'owner',
    label: 'Owner',
    type: 'text',
    value: '',
    hint: 'A username, or client: and a client ID. Empty: yourself. The key is refused while its owner is disabled.',
    suggestions: [...clients.map((id) => clientPrefix + id), ...users],
  };
}

/** Empty: the caller. */
function ownerIn(sent: FormInput): { owner?: { client_id: string } | { user: string } } {
  const owner = sent.text('owner');
  if (owner === undefined) return {};
  if (owner.startsWith(clientPrefix)) return { owner: { client_id: owner.slice(clientPrefix.length) } };
  return { owner: { user: owner } };
}

const lifetimes = ({ keys, records }: Catalogue) => [
  ...[30, 90, 180].map((count) => ({ value: String(count), text: records.days({ count }) })),
  { value: '365', text: keys.year },
];

function environmentField({ keys }: Catalogue, environments: readonly string[]): Field {
  return {
    name: 'environment',
    label: keys.environment,
    type: 'radios',
    value: environments[0] ?? '',
    options: environments.map((value) => ({ value, text: value, note: `sk_${value}_…` })),
  };
}

const customExpiry = ({ keys }: Catalogue): Field => ({
  name: 'expires_in_days',
  label: keys.customExpiry,
  type: 'number',
  value: '',
  hint: keys.customExpiryHint,
  group: 'Advanced',
});

async function creationFields(context: KeyContext): Promise<Field[]> {
  const { deps, isOwn, texts } = context;
  const [choices, roles, apis] = await Promise.all([context.choices(), context.roles(), context.apis()]);
  return [
    nameField(texts),
    ...(isOwn ? [] : [ownerField(await context.owners())]),
    environmentField(texts, deps.config.apiKeyEnvironments),
    { name: 'lifetime', label: texts.keys.lifetime, type: 'radios', value: '90', options: lifetimes(texts) },
    ...permissionFields(texts, choices),
    customExpiry(texts),
    ...restrictionFields(texts, {}, apis),
    descriptionField(texts),
    riskField(texts, 'medium'),
    ...(isOwn ? [] : labelFields(roles)),
  ];
}

/** Creating a key, on a page at this path. */
export const creating = (path: string): Action<KeyContext> => ({
  path,
  describe: async (context) => ({
    crumb: context.crumb,
    heading: context.texts.keys.create,
    name: '',
    words: [context.texts.keys.createNote],
    impact: [],
    fields: await creationFields(context),
    button: context.texts.keys.create,
    danger: false,
    back: context.crumb.href,
  }),
  summarize: summaryOf,
  perform: async (context, sent) => {
    const { key, ...created } = await context.keys.create(inputIn(context, sent)).catch(besideRights);
    const t = context.texts.keys;
    const words = [
      created.expires_at ? t.activeUntil({ time: exactTime(created.expires_at, context.texts) }) : t.activeForEver,
    ];
    return madeKey(context, created, { key, words });
  },
});

function inputIn({ isOwn }: KeyContext, sent: FormInput): Record<string, unknown> {
  const days = sent.number('expires_in_days') ?? sent.number('lifetime');
  return {
    name: sent.text('name') ?? '',
    ...(sent.text('description') && { description: sent.text('description') }),
    ...(!isOwn && ownerIn(sent)),
    environment: sent.text('environment') ?? '',
    permissions: rightsAskedFor(sent),
    restrictions: readForms(sent.lines),
    risk: sent.text('risk'),
    ...(days !== undefined && { expires_in_days: days }),
    ...(!isOwn && labelsIn(sent)),
  };
}
