import { counted } from '../words.ts';
import type { Cell } from './page-shapes.ts';

/** How values are shown. */
export const text = (value: string): Cell => ({ kind: 'text', text: value });
export const code = (value: string): Cell => ({ kind: 'code', text: value });
export const copied = (value: string): Cell => ({ kind: 'copy', text: value });
export const link = (value: string, href: string, id?: string): Cell => ({ kind: 'link', text: value, href, code: id });
export const action = (value: string, href: string, about: string): Cell => ({
  kind: 'action',
  text: value,
  href,
  about,
});
export const codes = (values: readonly string[], none = 'none'): Cell =>
  values.length > 0 ? { kind: 'codes', codes: values } : text(none);
export const codesAt = (at: string, values: readonly string[]): Cell => ({ kind: 'codes', codes: values, at });
export const time = (at: Date | null | undefined, none = 'never'): Cell => (at ? { kind: 'time', at } : text(none));
export const good = (value: string): Cell => ({ kind: 'mark', text: value, tone: 'good' });
export const bad = (value: string): Cell => ({ kind: 'mark', text: value, tone: 'bad' });
export const quiet = (value: string): Cell => ({ kind: 'mark', text: value, tone: 'quiet' });
export const enabled = (is: unknown): Cell => (is ? good('enabled') : bad('disabled'));
export const yesNo = (is: unknown): Cell => text(is ? 'yes' : 'no');

/** A duration as people say it. */
export function duration(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds % each === 0 && seconds >= each) ?? ['second', 1];
  return counted(seconds / size, unit);
}
