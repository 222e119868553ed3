import { scaleBand } from 'd3-scale';
import { type ChartFrame, type ChartInput, frameOf, type Tone, total, valueScale } from './chart.ts';
import { coordinate } from './numbers.ts';

export type BarChart = ChartFrame & {
  kind: 'bar';
  /** In a square of 100 × 100, which is stretched to the size of the plot. */
  bars: { tone: Tone; x: string; y: string; width: string; height: string }[];
};

/** A bar for each label; series are stacked, the first one lowest. */
export function barChart(input: ChartInput): BarChart {
  const { labels, series } = input;
  const band = scaleBand<number>([...labels.keys()], [0, 100]).paddingInner(0.25);
  const width = coordinate(band.bandwidth());
  const max = Math.max(0, ...labels.map((_, n) => total(series.map(({ values }) => values[n] ?? 0))));
  const y = valueScale(max);
  const bars = labels.flatMap((_, n) => {
    let bottom = 0;
    return series.flatMap(({ tone, values }) => {
      const value = values[n] ?? 0;
      const top = bottom + value;
      const bar = { tone, x: coordinate(band(n) ?? 0), y: coordinate(y(top)), width };
      const height = coordinate(y(bottom) - y(top));
      bottom = top;
      return value > 0 ? [{ ...bar, height }] : [];
    });
  });
  const placeOf = (index: number) => ((band(index) ?? 0) + band.bandwidth() / 2) / 100;
  return { ...frameOf(input, { max, placeOf, kind: 'bar' }), kind: 'bar', bars };
}
