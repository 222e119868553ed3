import type { Filter } from './page-shapes.ts';

/** A filter of a list, without its value in the address. */
export type ListFilter = Omit<Filter, 'value'>;

/** A filter by one of these values, each with its text, or by none: then `any` is shown. */
export function choiceFilter(
  { any, ...filter }: { name: string; label: string; any: string },
  texts: Readonly<Record<string, string>>,
): ListFilter {
  const values = Object.entries(texts).map(([value, text]) => ({ value, text }));
  return { ...filter, options: [{ value: '', text: any }, ...values] };
}

/** Whether records are enabled. */
export const enabledFilter = choiceFilter(
  { name: 'enabled', label: 'State', any: 'All states' },
  { true: 'Active', false: 'Disabled' },
);
