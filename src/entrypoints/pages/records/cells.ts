import { counted } from '../words.ts';
import type { ActionLink, Cell } from './page-shapes.ts';

/** How values are shown. */
export const text = (value: string): Cell => ({ kind: 'text', text: value });
export const code = (value: string, note?: string): Cell => ({ kind: 'code', text: value, note });
export const copied = (value: string): Cell => ({ kind: 'copy', text: value });
export const link = (value: string, href: string, id?: string): Cell => ({ kind: 'link', text: value, href, code: id });
/** A link, and a note below it. */
export const noted = (value: string, href: string, note: string): Cell => ({ kind: 'link', text: value, href, note });
export const action = (value: string, href: string, about: string): Cell => ({
  kind: 'action',
  text: value,
  href,
  about,
});
export const codes = (values: readonly string[], none = 'None'): Cell =>
  values.length > 0 ? { kind: 'codes', codes: values } : text(none);
export const time = (at: Date | null | undefined, none = 'Never'): Cell => (at ? { kind: 'time', at } : text(none));
/** A time in a sentence: "registered 3 days ago". */
export const timeAfter = (before: string, at: Date): Cell => ({ kind: 'time', at, before });
/** A text or link in a sentence: "owned by billing". */
export const after = (before: string, cell: Cell): Cell =>
  cell.kind === 'text' || cell.kind === 'link' ? { ...cell, before } : cell;
export const number = (value: number): Cell => ({ kind: 'number', value });
export const good = (value: string, note?: string): Cell => ({ kind: 'mark', text: value, tone: 'good', note });
export const warn = (value: string, note?: string): Cell => ({ kind: 'mark', text: value, tone: 'warn', note });
export const bad = (value: string, note?: string): Cell => ({ kind: 'mark', text: value, tone: 'bad', note });
export const info = (value: string): Cell => ({ kind: 'mark', text: value, tone: 'info' });
export const quiet = (value: string, note?: string): Cell => ({ kind: 'mark', text: value, tone: 'quiet', note });
export const enabled = (is: unknown): Cell => (is ? good('Active') : quiet('Disabled'));
export const yesNo = (is: unknown): Cell => text(is ? 'Yes' : 'No');
/** The actions of one row; nothing if there are none. */
export const menu = (about: string, actions: readonly ActionLink[]): Cell =>
  actions.length > 0 ? { kind: 'menu', about, actions } : text('');

/** A duration in words: "90 days". */
export function duration(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds % each === 0 && seconds >= each) ?? ['second', 1];
  return counted(seconds / size, unit);
}
