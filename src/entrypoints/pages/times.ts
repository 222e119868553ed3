import { type Catalogue, en } from './languages/en.ts';

const steps: readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

type Formats = {
  relative: Intl.RelativeTimeFormat;
  day: Intl.DateTimeFormat;
  minute: Intl.DateTimeFormat;
  dayOfMonth: Intl.DateTimeFormat;
};

// Creating a format takes longer than rendering a page.
const formats = new Map<string, Formats>();

function formatsOf({ tag, dates }: Catalogue): Formats {
  const known = formats.get(tag);
  if (known) return known;
  const made = {
    relative: new Intl.RelativeTimeFormat(tag, { numeric: 'auto' }),
    day: new Intl.DateTimeFormat(dates, { dateStyle: 'long', timeZone: 'UTC' }),
    minute: new Intl.DateTimeFormat(dates, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' }),
    dayOfMonth: new Intl.DateTimeFormat(dates, { day: 'numeric', month: 'short', timeZone: 'UTC' }),
  };
  formats.set(tag, made);
  return made;
}

/** "3 days ago", "in 2 hours", "just now": the largest unit that fits, rounded. */
export function relativeTime(at: Date, now: Date, texts: Catalogue = en): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const step = steps.find(([, size]) => Math.abs(seconds) >= size);
  if (!step) return seconds > 0 ? texts.common.inAMoment : texts.common.justNow;

  const [unit, size] = step;
  return formatsOf(texts).relative.format(Math.round(seconds / size), unit);
}

/** "21 February 2027, 14:05 UTC". */
export function exactTime(at: Date, texts: Catalogue = en): string {
  const { day, minute } = formatsOf(texts);
  return texts.common.exactTime({ day: day.format(at), time: minute.format(at) });
}

/** "21 February 2027", in UTC. */
export function calendarDay(at: Date, texts: Catalogue = en): string {
  return formatsOf(texts).day.format(at);
}

/** "3 Nov", in UTC. */
export const shortDay = (at: Date, texts: Catalogue = en): string => formatsOf(texts).dayOfMonth.format(at);

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

/** "14:05", in UTC. */
export const clockTime = (at: Date): string => time.format(at);

/** "3 Nov, 14:05", in UTC. */
export const dayAndTime = (at: Date): string => `${shortDay(at)}, ${clockTime(at)}`;

/** The starts of a number of periods, the last of which contains `now`. */
export function periodsUntil(now: Date, { stepMs, periods }: { stepMs: number; periods: number }): Date[] {
  const last = Math.floor(now.getTime() / stepMs) * stepMs;
  return Array.from({ length: periods }, (_, n) => new Date(last - (periods - 1 - n) * stepMs));
}
