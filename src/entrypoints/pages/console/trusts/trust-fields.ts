import type { Field } from '../../records/page-shapes.ts';
import { conditionLine } from './condition-lines.ts';
import type { Trust } from './trust.ts';

/** The fields that the forms of all kinds of trusts have, each with its own hint. */
export const nameField = (hint: string, value = ''): Field => ({
  name: 'name',
  label: 'Name',
  type: 'text',
  value,
  is_required: true,
  hint,
});

export const issuerField = (suggestions: readonly string[]): Field => ({
  name: 'issuer',
  label: 'Issuer',
  type: 'text',
  value: '',
  is_required: true,
  hint: 'The “iss” of its tokens, exactly. You cannot change it later.',
  suggestions,
});

export const conditionsField = (hint: string, trust?: Trust): Field => ({
  name: 'conditions',
  label: 'Conditions',
  type: 'textarea',
  value: (trust?.conditions ?? []).map(conditionLine).join('\n'),
  hint,
});
