import type { Language } from '../../platform/languages/index.ts';
import { kinds, writtenKinds } from './kinds.ts';
import type { Form, FormField, Restriction } from './restriction.ts';

/** A field of a form with what it shows, one value a line. */
export type RestrictionField = FormField & { values: readonly string[] };

/** The lines that were sent of a field. */
type Sent = (field: string) => readonly string[];

/**
 * The forms of the kinds, in the order of a page, with what is written in a key. A restriction that its form cannot express is
 * left out, so that saving the form does not change it.
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

/** Whether what is written is as strict after the form has shown and read it. */
function expresses({ schema, form, contains }: Restriction, written: unknown): boolean {
  const shown = form.show(written);
  const again = schema.safeParse(form.read((name) => shown[name] ?? []));
  return again.success && contains(written, again.data) && contains(again.data, written);
}

/** Restrictions as a form has them, unchecked, by kind; undefined: left empty. */
export function readForms(sent: Sent): Record<string, unknown> {
  return Object.fromEntries(Object.entries<Restriction>(kinds).map(([name, { form }]) => [name, form.read(sent)]));
}

/** What is said beside a field of these forms when the API refuses it; undefined: it is none of them. */
export function refusalBeside(field: string, language: Exclude<Language, 'en'>): string | undefined {
  const fields = Object.values<Restriction>(kinds).flatMap(({ form }) => form.fields);
  return fields.find(({ name }) => name === field)?.refused[language];
}

const unnamed: Form<unknown>['summary'] & object = { label: { en: 'Restrictions', de: 'Einschränkungen' } };

/** A line of the summary of a form. */
type SummaryLine = { label: string; values: string[]; none: string | undefined };

/** What the form as it stands restricts, by label; a kind that is not written in a valid way has no value there. */
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
