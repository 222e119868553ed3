const steps: readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

/** "3 days ago", "in 2 hours", "just now": the largest unit that fits, rounded to what is nearest. */
export function relativeTime(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const step = steps.find(([, size]) => Math.abs(seconds) >= size);
  if (!step) return seconds > 0 ? 'in a moment' : 'just now';

  const [unit, size] = step;
  return relative.format(Math.round(seconds / size), unit);
}

/** "21 February 2027, 14:05 UTC". */
export function exactTime(at: Date): string {
  return `${day.format(at)}, ${minute.format(at)} UTC`;
}

/** "21 February 2027", in UTC. */
export function calendarDay(at: Date): string {
  return day.format(at);
}
