import type { Language } from '../../platform/languages/index.ts';
import { kinds, writtenKinds } from './kinds.ts';
import type { Form, FormField, Restriction } from './restriction.ts';

/** A field of a form with its values, one a line. */
export type RestrictionField = FormField & { values: readonly string[] };

/** The submitted lines of a field. */
type Sent = (field: string) => readonly string[];

/**
 * The forms of the kinds, in the order of a page, with the restrictions of a key. One that its form cannot express is left out, so
 * that saving the form does not change it.
 */
export function formsOf(written: Readonly<Record<string, unknown>>): { kind: string; fields: RestrictionField[] }[] {
  return inOrderOfForms()
    .filter(([name, kind]) => written[name] === undefined || expresses(kind, written[name]))
    .map(([name, { form }]) => {
      const shown = written[name] === undefined ? {} : form.show(written[name]);
      return { kind: name, fields: form.fields.map((field) => ({ ...field, values: shown[field.name] ?? [] })) };
    });
}

function inOrderOfForms(): [string, Restriction][] {
  return Object.entries<Restriction>(kinds).sort(([, a], [, b]) => a.form.position - b.form.position);
}

/** Whether a restriction is equally strict after the form has shown and read it. */
function expresses({ schema, form, contains }: Restriction, written: unknown): boolean {
  const shown = form.show(written);
  const again = schema.safeParse(form.read((name) => shown[name] ?? []));
  return again.success && contains(written, again.data) && contains(again.data, written);
}

/** Submitted restrictions, unchecked, by kind; undefined: left empty. */
export function readForms(sent: Sent): Record<string, unknown> {
  return Object.fromEntries(Object.entries<Restriction>(kinds).map(([name, { form }]) => [name, form.read(sent)]));
}

/** The message next to a field of these forms if the API refuses it; undefined: it is none of these fields. */
export function refusalBeside(field: string, language: Exclude<Language, 'en'>): string | undefined {
  const fields = Object.values<Restriction>(kinds).flatMap(({ form }) => form.fields);
  return fields.find(({ name }) => name === field)?.refused[language];
}

const unnamed: Form<unknown>['summary'] & object = { label: { en: 'Restrictions', de: 'Einschränkungen' } };

/** A line of the summary of a form. */
type SummaryLine = { label: string; values: string[]; none: string | undefined };

/** The restrictions in the submitted form, by label; an invalid one has no value. */
export function summariesOf(sent: Sent, language: Language): SummaryLine[] {
  const read = new Map(writtenKinds(readForms(sent)).map(({ name, value }) => [name, value]));
  const lines = new Map<string, SummaryLine>();
  for (const [name, { schema, form, explain }] of inOrderOfForms()) {
    const { label, none, say = (written: unknown) => [explain[language](written)] } = form.summary ?? unnamed;
    const line = lines.get(label[language]) ?? { label: label[language], none: none?.[language], values: [] };
    const parsed = schema.safeParse(read.get(name));
    if (parsed.success) line.values.push(...say(parsed.data, language));
    lines.set(label[language], line);
  }
  return [...lines.values()].filter(({ values, none }) => values.length > 0 || none !== undefined);
}
