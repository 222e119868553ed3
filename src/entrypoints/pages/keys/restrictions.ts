import { formsOf, type RestrictionField, readForms } from '../../../domain/restrictions/index.ts';
import { patchReplacing } from '../../../platform/http/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import type { Key } from './key-context.ts';

type Written = Key['restrictions'];

/** The fields of all kinds of restrictions. Values that they cannot express are set through the API and the command line. */
export function restrictionFields(texts: Catalogue, written: Written, apis: readonly Option[]): Field[] {
  const fields = formsOf(written).flatMap((form) => form.fields);
  return fields.map((field) => ({ ...inputOf(texts, field, apis), group: 'Advanced' }));
}

function inputOf({ tag }: Catalogue, field: RestrictionField, apis: readonly Option[]): Field {
  const { name, input, values, hint, typedHint = hint, options = [] } = field;
  const shown = { name, label: field.label[tag], hint: hint[tag], value: values.join('\n') };
  if (input === 'choices')
    return { ...shown, type: 'choices', options: options.map(({ value, text }) => ({ value, text: text[tag] })) };
  if (input !== 'apis') return { ...shown, type: input === 'lines' ? 'textarea' : input };
  // Typed if a user may not list the APIs, or if one is not among them.
  const known = new Set(apis.map(({ value }) => value));
  const isListed = known.size > 0 && values.every((api) => known.has(api));
  return isListed ? { ...shown, type: 'choices', options: apis } : { ...shown, type: 'textarea', hint: typedHint[tag] };
}

/** The restrictions whose fields were edited, as members of a merge patch (RFC 7396). */
export function changedRestrictions(
  sent: FormInput,
  written: Written,
  isEdited: (fields: readonly string[]) => boolean,
): Record<string, unknown> {
  const read = readForms(sent.lines);
  const changed = formsOf(written).filter(({ fields }) => isEdited(fields.map(({ name }) => name)));
  return Object.fromEntries(changed.map(({ kind }) => [kind, patchReplacing(written[kind], read[kind])]));
}
