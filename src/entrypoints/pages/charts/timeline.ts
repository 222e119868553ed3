import { scaleUtc } from 'd3-scale';
import { coordinate } from './numbers.ts';

/** How a period is drawn: in use now, in use from now on, expected, in use before, usable beside the current one, still used beside it. */
export type PeriodStyle = 'current' | 'ahead' | 'due' | 'past' | 'readable' | 'read';

export type Period = { from: Date; to: Date; style: PeriodStyle };

export type TimelineInput = {
  /** The id of the chart on the page; ids within it begin with it. */
  id: string;
  title: string;
  description: string;
  now: Date;
  rows: readonly { label: string; periods: readonly Period[]; note?: string | undefined }[];
  legend: readonly { style: PeriodStyle; label: string }[];
  /** The same in words, a row for each row. */
  table: { unit: string; columns: readonly string[]; rows: readonly { label: string; values: readonly string[] }[] };
  /** The label of a time below an axis of this length. */
  labelOf: (at: Date, spanMs: number) => string;
};

type Bar = { x: string; width: string; style: PeriodStyle };

/** Periods on an axis of time. Positions across are in percent of the width, heights in pixels. */
export type Timeline = Pick<TimelineInput, 'id' | 'title' | 'description' | 'legend' | 'table'> & {
  height: number;
  bottom: number;
  rows: { label: string; y: number; bars: Bar[]; note: { x: string; text: string } | undefined }[];
  ticks: { x: string; label: string; anchor: 'start' | 'middle' | 'end'; isMinor: boolean }[];
  now: { x: string; anchor: 'start' | 'middle' | 'end' };
};

const top = 20;
const rowHeight = 36;
const leastSpanMs = 3_600_000;
const leastWidth = 0.4;
// The part of the width beyond the last period.
const margin = 0.04;
const mostTicks = 5;
// A note needs about a quarter of the width.
const roomForNote = 25;

/** The rows below one another, each with its periods. */
export function timeline(input: TimelineInput): Timeline {
  const { id, title, description, legend, table, rows, now } = input;
  const { scale, span } = scaleOf(rows, now);
  const x = (at: Date) => Math.min(100, Math.max(0, scale(at)));
  const bottom = top + rows.length * rowHeight;
  const ticks = scale.ticks(mostTicks).map((at, n) => ({
    ...{ x: percent(x(at)), label: input.labelOf(at, span), anchor: anchorAt(x(at)), isMinor: n % 2 === 1 },
  }));
  return {
    ...{ id, title, description, legend, table, ticks, bottom },
    height: bottom + 18,
    rows: rows.map((row, n) => ({ ...rowAt(row, x), label: row.label, y: top + n * rowHeight + 4 })),
    now: { x: percent(x(now)), anchor: anchorAt(x(now)) },
  };
}

function scaleOf(rows: TimelineInput['rows'], now: Date) {
  const times = [now, ...rows.flatMap(({ periods }) => periods.flatMap(({ from, to }) => [from, to]))].map(Number);
  const end = Math.max(...times);
  const start = Math.min(...times, end - leastSpanMs);
  const span = (end - start) * (1 + margin);
  return { scale: scaleUtc([new Date(start), new Date(start + span)], [0, 100]), span };
}

function rowAt({ periods, note }: TimelineInput['rows'][number], x: (at: Date) => number) {
  const bars = periods.map(({ from, to, style }) => {
    const width = Math.max(leastWidth, x(to) - x(from));
    return { x: percent(x(from)), width: percent(width), style };
  });
  const last = periods.at(-1);
  const room = last ? x(last.to) - x(last.from) : 0;
  const isShown = note !== undefined && last !== undefined && room >= roomForNote;
  return { bars, note: isShown ? { x: percent(x(last.from) + 1), text: note } : undefined };
}

const percent = (value: number) => `${coordinate(value)}%`;

function anchorAt(place: number): 'start' | 'middle' | 'end' {
  if (place < 6) return 'start';
  return place > 94 ? 'end' : 'middle';
}
