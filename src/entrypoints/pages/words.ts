const figures = new Intl.NumberFormat('en');
const plurals: Readonly<Record<string, string>> = { entry: 'entries', delivery: 'deliveries' };

/** "1 app", "3 apps", "12,480 tokens". */
export function counted(count: number, noun: string): string {
  return `${figures.format(count)} ${count === 1 ? noun : (plurals[noun] ?? `${noun}s`)}`;
}

/** The beginning and the end of a long id. */
export const shortId = (id: string): string => `${id.slice(0, 8)}…${id.slice(-4)}`;

/** "12,480". */
export function figure(value: number): string {
  return figures.format(value);
}
