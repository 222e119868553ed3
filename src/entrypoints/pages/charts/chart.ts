import { scaleLinear } from 'd3-scale';
import { type Catalogue, en } from '../languages/en.ts';
import { figure } from '../words.ts';
import { coordinate, shortFigure } from './numbers.ts';

/** The colour of a series: `1` success, `2` refused, `3` needs attention. */
export type Tone = 1 | 2 | 3;

export type Series = { label: string; tone: Tone; values: readonly number[] };

/** The data of a chart: one value of each series for each label. */
export type ChartInput = {
  /** The id of the chart on the page; ids within it begin with it. */
  id: string;
  title: string;
  /** The name of a label: `Hour`. */
  unit: string;
  labels: readonly string[];
  /** The label below the chart instead, if there is little room. */
  shortLabels?: readonly string[];
  series: readonly Series[];
  /** The height of the plot in pixels; default: 200. */
  height?: number;
  /** Whether the last label is of the present; default: it is. */
  endsNow?: boolean;
  /** The language of the page; default: English. */
  texts?: Catalogue;
};

export type GridLine = { y: string; label: string };
export type Tick = { x: string; label: string; anchor: 'start' | 'middle' | 'end'; isMinor: boolean };

/** The common parts of all charts. */
export type ChartFrame = {
  id: string;
  title: string;
  description: string;
  /** The height of the plot in pixels. */
  height: number;
  grid: GridLine[];
  ticks: Tick[];
  legend: { label: string; tone: Tone; total: string }[];
  table: { unit: string; columns: string[]; rows: { label: string; values: string[] }[] };
};

const gridLines = 3;
const mostTicks = 8;
// The part of the width that the last label needs.
const roomForNow = 0.08;
const percent = (part: number) => `${coordinate(part * 100)}%`;

/** A scale from 0 to a round number that is not below `max`, onto the height of the plot in percent, from below. */
export function valueScale(max: number) {
  return scaleLinear()
    .domain([0, Math.max(max, gridLines)])
    .nice(gridLines)
    .range([100, 0]);
}

/**
 * The parts of a chart beside its shapes: lines, labels, the legend with totals, and the table with every value.
 *
 * @param placeOf the position of a label, from 0 to 1
 */
export function frameOf(
  { id, title, unit, labels, shortLabels = labels, series, height = 200, endsNow = true, texts = en }: ChartInput,
  { max, placeOf, kind }: { max: number; placeOf: (index: number) => number; kind: 'area' | 'bar' },
): ChartFrame {
  const scale = valueScale(max);
  return {
    id,
    title,
    description: [texts.charts[kind]({ unit }), ...series.map((each) => describe(each, labels, texts))].join(' '),
    height,
    grid: scale
      .ticks(gridLines)
      .filter(Number.isInteger)
      .map((value) => ({ y: coordinate((scale(value) * height) / 100), label: shortFigure(value) })),
    ticks: ticksOf(shortLabels, placeOf, endsNow ? texts.charts.now : undefined),
    legend: series.map(({ label, tone, values }) => ({ label, tone, total: figure(total(values), texts.tag) })),
    table: {
      unit,
      columns: series.map(({ label }) => label),
      rows: labels.map((label, n) => ({
        label,
        values: series.map(({ values }) => figure(values[n] ?? 0, texts.tag)),
      })),
    },
  };
}

/** The sum of values. */
export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function describe({ label, values }: Series, labels: readonly string[], { tag, charts }: Catalogue): string {
  const most = Math.max(0, ...values);
  if (most === 0) return charts.nothing({ label });
  return charts.figures({
    label,
    total: figure(total(values), tag),
    most: figure(most, tag),
    at: labels[values.indexOf(most)] ?? '',
    least: figure(Math.min(...values), tag),
  });
}

/** At most eight, evenly spaced; every other one is left out if there is little room. */
function ticksOf(labels: readonly string[], placeOf: (index: number) => number, now: string | undefined): Tick[] {
  const every = Math.max(1, Math.ceil(labels.length / mostTicks));
  const shown = labels.flatMap((label, index) => (index % every === 0 ? [{ label, place: placeOf(index) }] : []));
  const ticks = shown.map(({ label, place }, n) => ({
    ...{ x: percent(place), label, anchor: anchorAt(place), isMinor: n % 2 === 1 },
  }));
  const room = 1 - (shown.at(-1)?.place ?? 0);
  if (now === undefined || room < roomForNow) return ticks;
  return [...ticks, { x: percent(1), label: now, anchor: 'end', isMinor: false }];
}

function anchorAt(place: number): Tick['anchor'] {
  if (place < 0.02) return 'start';
  return place > 0.98 ? 'end' : 'middle';
}
