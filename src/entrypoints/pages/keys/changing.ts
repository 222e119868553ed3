import type { Action, FormInput } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import type { Fact, Field } from '../records/page-shapes.ts';
import { rightLine, rightsLinesIn } from '../records/rights-lines.ts';
import { besideRights, descriptionField, nameField, permissionFields, rightsAskedFor, riskField } from './fields.ts';
import { frame } from './frame.ts';
import { getKeyOf, type Key, type KeyContext } from './key-context.ts';
import { labelFields, labelsIn } from './labels.ts';
import { changedRestrictions, restrictionFields } from './restrictions.ts';

async function changeFields(context: KeyContext, key: Key): Promise<Field[]> {
  const { texts } = context;
  const [choices, roles, apis] = await Promise.all([context.choices(), context.roles(), context.apis()]);
  return [
    nameField(texts, key),
    {
      name: 'expires_at',
      label: texts.keys.expiresUtc,
      type: 'datetime-local',
      value: key.expires_at?.toISOString().slice(0, 16) ?? '',
      hint: texts.keys.expiresHint,
    },
    ...permissionFields(texts, choices, key),
    ...restrictionFields(texts, key.restrictions, apis),
    descriptionField(texts, key),
    riskField(texts, key.risk),
    ...(context.isOwn ? [] : labelFields(roles, key)),
  ];
}

export const changing: Action<KeyContext> = {
  path: '/:key_id/change',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    const fields = await changeFields(context, key);
    const t = context.texts.keys;
    return {
      ...framed,
      heading: t.editing({ key: key.name }),
      words: [t.editNote],
      impact: [],
      fields,
      button: t.save,
      danger: false,
      version: key.version,
      present: fields.map(
        ({ label, value }): Fact => ({ label, cell: cell.text(value || context.texts.records.none) }),
      ),
    };
  },
  perform: async (context, sent) => {
    const key = await getKeyOf(context);
    const fields = await changeFields(context, key);
    await context.keys.change(key.id, changesIn(sent, key, fields), sent.version).catch(besideRights);
    return { to: context.pathOf(key.id), done: 'saved' };
  },
};

/** Only changed fields, so that the audit log is exact, and an expiry keeps its seconds. */
function changesIn(sent: FormInput, key: Key, fields: readonly Field[]): Record<string, unknown> {
  const shown = new Map(fields.map(({ name, value }) => [name, value]));
  const choices = new Set(fields.flatMap(({ name, type }) => (type === 'choices' ? name : [])));
  const isChanged = (name: string) =>
    shown.has(name) && areOther(sent.lines(name), (shown.get(name) ?? '').split('\n').filter(Boolean));
  // A page from before an upgrade may lack a field: a field that it did not show is not changed.
  const isEdited = (names: readonly string[]) =>
    names.every((name) => choices.has(name) || sent.has(name)) && names.some(isChanged);
  const restrictions = changedRestrictions(sent, key.restrictions, isEdited);
  const labels = Object.entries(labelsIn(sent, key)).filter(([name]) => isChanged(name));
  const until = sent.text('expires_at');
  return {
    ...(isChanged('name') && { name: sent.text('name') ?? '' }),
    ...(isChanged('description') && { description: sent.text('description') ?? null }),
    ...(areOther(rightsLinesIn(sent, 'permissions'), key.permissions.map(rightLine)) && {
      permissions: rightsAskedFor(sent),
    }),
    ...(Object.keys(restrictions).length > 0 && { restrictions }),
    ...(isChanged('risk') && { risk: sent.text('risk') }),
    ...(isChanged('expires_at') && { expires_at: until === undefined ? null : `${until}:00Z` }),
    ...Object.fromEntries(labels),
  };
}

const areOther = (some: readonly string[], others: readonly string[]) =>
  [...some].sort().join('\n') !== [...new Set(others)].sort().join('\n');
