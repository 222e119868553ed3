// Creating a format takes longer than rendering a page.
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(tag: string): Intl.NumberFormat {
  const made = formats.get(tag) ?? new Intl.NumberFormat(tag);
  formats.set(tag, made);
  return made;
}

const plurals: Readonly<Record<string, string>> = { entry: 'entries', delivery: 'deliveries' };

/** "1 app", "3 apps", "12,480 tokens". */
export function counted(count: number, noun: string): string {
  return `${figure(count)} ${count === 1 ? noun : (plurals[noun] ?? `${noun}s`)}`;
}

/** The beginning and the end of a long id. */
export const shortId = (id: string): string => `${id.slice(0, 8)}…${id.slice(-4)}`;

/** "12,480". @param tag of the language */
export function figure(value: number, tag = 'en'): string {
  return formatOf(tag).format(value);
}
