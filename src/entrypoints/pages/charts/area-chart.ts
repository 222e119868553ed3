import { area, line, stack, stackOrderReverse } from 'd3-shape';
import { type ChartFrame, type ChartInput, frameOf, type Series, type Tone, valueScale } from './chart.ts';

export type AreaChart = ChartFrame & {
  kind: 'area';
  /** Paths in a square of 100 × 100, which is stretched to the size of the plot. */
  areas: { tone: Tone; area: string; line: string }[];
};

const digits = 2;

/** Series stacked on one another, the last one lowest, from left to right. */
export function areaChart(input: ChartInput): AreaChart {
  const { labels, series } = input;
  const last = Math.max(1, labels.length - 1);
  const placeOf = (index: number) => index / last;
  const layers = stacked(labels, series);
  const max = Math.max(0, ...layers.flatMap(({ points }) => points.map(([, top]) => top)));
  const y = valueScale(max);
  const x = (index: number) => placeOf(index) * 100;
  const areaOf = area<[number, number]>(
    (_, n) => x(n),
    ([bottom]) => y(bottom),
    ([, top]) => y(top),
  ).digits(digits);
  const lineOf = line<[number, number]>(
    (_, n) => x(n),
    ([, top]) => y(top),
  ).digits(digits);
  return {
    ...frameOf(input, { max, placeOf, kind: 'area' }),
    kind: 'area',
    areas: layers.map(({ tone, points }) => ({ tone, area: areaOf(points) ?? '', line: lineOf(points) ?? '' })),
  };
}

/** The bottom and top of each series at each label. */
function stacked(labels: readonly string[], series: readonly Series[]) {
  const layers = stack<number, Series>()
    .keys(series)
    .value((index, { values }) => values[index] ?? 0)
    .order(stackOrderReverse)([...labels.keys()]);
  return layers.map((layer) => ({
    tone: layer.key.tone,
    points: layer.map(([bottom, top]): [number, number] => [bottom, top]),
  }));
}
