import { z } from 'zod';
import { restriction, type Wording } from './restriction.ts';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Day = (typeof days)[number];
const dayNames: Readonly<Record<Day, Wording>> = {
  mon: { en: 'Monday', de: 'Montag' },
  tue: { en: 'Tuesday', de: 'Dienstag' },
  wed: { en: 'Wednesday', de: 'Mittwoch' },
  thu: { en: 'Thursday', de: 'Donnerstag' },
  fri: { en: 'Friday', de: 'Freitag' },
  sat: { en: 'Saturday', de: 'Samstag' },
  sun: { en: 'Sunday', de: 'Sonntag' },
};
const refused = { de: 'Geben Sie eine Uhrzeit ein, wie 08:30.' };
const minutesOfHour = 60;

const minutesOfDay = Array.from({ length: 24 * minutesOfHour }, (_, minute) => minute);

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 08:30');
const isTimeZone = (name: string) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    // An unknown time zone.
    return false;
  }
};

const minuteOf = (time: string) => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * minutesOfHour + minutes;
};

/** The times at which a key may be used, in a time zone. A window that ends before it starts continues past midnight. */
export const timeWindow = restriction({
  schema: z
    .strictObject({
      days: z.array(z.enum(days)).min(1).max(7).optional().meta({ description: 'left out: every day' }),
      from: TimeOfDay,
      to: TimeOfDay.meta({ description: 'the first minute after the window' }),
      time_zone: z.string().max(64).refine(isTimeZone, 'must be a time zone such as Europe/Berlin').default('UTC'),
    })
    .meta({ description: 'when it may be used' }),
  refusal: { code: 'outside_time_window', status: 403 },
  form: {
    position: 5,
    fields: [
      {
        name: 'days',
        label: { en: 'Allowed days', de: 'Erlaubte Tage' },
        hint: { en: 'Select none to allow every day.', de: 'Wählen Sie keinen aus, um jeden Tag zu erlauben.' },
        refused: { de: 'Wählen Sie Wochentage aus.' },
        input: 'choices',
        options: days.map((value) => ({ value, text: dayNames[value] })),
      },
      {
        name: 'from',
        label: { en: 'Allowed from', de: 'Erlaubt ab' },
        hint: { en: 'A time such as 08:30. Empty: at any time.', de: 'Eine Uhrzeit wie 08:30. Leer: jederzeit.' },
        refused,
        input: 'text',
      },
      {
        name: 'to',
        label: { en: 'Allowed until', de: 'Erlaubt bis' },
        hint: {
          en: 'The first minute that is not allowed. A time before the start is on the next day.',
          de: 'Die erste Minute, die nicht mehr erlaubt ist. Eine Uhrzeit vor dem Beginn gilt für den nächsten Tag.',
        },
        refused,
        input: 'text',
      },
      {
        name: 'time_zone',
        label: { en: 'Time zone', de: 'Zeitzone' },
        hint: { en: 'For example, Europe/Berlin. Empty: UTC.', de: 'Wie Europe/Berlin. Leer: UTC.' },
        refused: { de: 'Geben Sie eine Zeitzone ein, wie Europe/Berlin.' },
        input: 'text',
      },
    ],
    show: ({ days: some = [], from, to, time_zone }) => ({
      days: some,
      from: [from],
      to: [to],
      time_zone: [time_zone],
    }),
    read: (sent) => {
      const [some, [from], [to], [time_zone]] = [sent('days'), sent('from'), sent('to'), sent('time_zone')];
      if (some.length === 0 && from === undefined && to === undefined) return undefined;
      const window = { from: from ?? '', to: to ?? '' };
      return { ...window, ...(some.length > 0 && { days: some }), ...(time_zone && { time_zone }) };
    },
  },
  compile: (written) => {
    const { time_zone: timeZone } = written;
    const window = windowOf(written);
    const clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    return {
      check: (_, now) => {
        const parts = Object.fromEntries(clock.formatToParts(now).map(({ type, value }) => [type, value]));
        const day = (parts.weekday ?? '').toLowerCase();
        const minute = minuteOf(`${parts.hour}:${parts.minute}`);
        if (isOpen(window, day, minute)) return undefined;
        return `It is ${parts.weekday} ${parts.hour}:${parts.minute} in ${timeZone}; the key works ${said(written)}.`;
      },
    };
  },
  // The relation of two time zones depends on the season: a window in another zone counts as wider.
  contains: (written, other) => {
    const [mine, others] = [windowOf(written), windowOf(other)];
    const isWithin = (day: string) =>
      minutesOfDay.every((minute) => !isOpen(others, day, minute) || isOpen(mine, day, minute));
    return written.time_zone === other.time_zone && days.every(isWithin);
  },
  explain: {
    en: (written) => `only ${said(written)}`,
    de: ({ days: some, from, to, time_zone }) => {
      const named = some ? `${some.map((day) => dayNames[day].de.slice(0, 2)).join(', ')} ` : '';
      return `nur ${named}von ${from} bis ${to} Uhr (${time_zone})`;
    },
  },
});

type Window = { start: number; end: number; allowedDays: ReadonlySet<string> };

function windowOf({
  days: some,
  from,
  to,
}: {
  days?: readonly string[] | undefined;
  from: string;
  to: string;
}): Window {
  return { start: minuteOf(from), end: minuteOf(to), allowedDays: new Set(some ?? days) };
}

/** The part after midnight belongs to the day before. */
function isOpen({ start, end, allowedDays }: Window, day: string, minute: number): boolean {
  if (start < end) return allowedDays.has(day) && minute >= start && minute < end;
  const yesterday = days[(days.indexOf(day as (typeof days)[number]) + 6) % 7] ?? '';
  return (allowedDays.has(day) && minute >= start) || (allowedDays.has(yesterday) && minute < end);
}

function said({ days: some, from, to, time_zone }: { days?: readonly string[] | undefined } & Record<string, unknown>) {
  return `${some ? `on ${some.join(', ')} ` : ''}from ${from} to ${to} (${time_zone})`;
}
