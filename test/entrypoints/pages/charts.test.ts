import fc from 'fast-check';
import { areaChart, barChart, sparkline } from '../../../src/entrypoints/pages/charts/index.ts';

const of = (...values: number[][]) => ({
  id: 'c',
  title: 'Requests',
  unit: 'Hour',
  labels: (values[0] ?? []).map((_, n) => `${n}:00`),
  series: values.map((each, n) => ({ label: `Series ${n}`, tone: 1 as const, values: each })),
});
const counts = fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000)), { minLength: 1, maxLength: 60 });
/** The points of a path of straight lines. */
const points = (path: string) =>
  [...path.matchAll(/[ML]?(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('an area chart', () => {
  test('stacks the first series on the others', () => {
    const { areas, grid, legend } = areaChart(of([0, 40], [10, 20]));
    expect(grid.map(({ label }) => label)).toEqual(['0', '20', '40', '60']);
    expect(areas.map(({ line }) => points(line).map(([, y]) => y))).toEqual([
      [83.33, 0],
      [83.33, 66.67],
    ]);
    expect(legend.map(({ total }) => total)).toEqual(['40', '30']);
  });

  test('stays within its square, whatever the values', () => {
    fc.assert(
      fc.property(counts, (pairs) => {
        const chart = areaChart(
          of(
            pairs.map(([a]) => a),
            pairs.map(([, b]) => b),
          ),
        );
        const all = chart.areas.flatMap(({ area, line }) => [...points(area), ...points(line)]).flat();
        expect(all.every((coordinate) => coordinate >= 0 && coordinate <= 100)).toBe(true);
      }),
    );
  });

  test('describes itself, has every value in its table, and at most nine labels', () => {
    const chart = areaChart(
      of(
        Array.from({ length: 24 }, (_, n) => n * 1000),
        Array<number>(24).fill(0),
      ),
    );
    expect(chart.description).toBe(
      'Stacked area by hour. Series 0: 276,000 in all, at most 23,000 (23:00), at least 0. Series 1: none.',
    );
    expect(chart.table.rows).toHaveLength(24);
    expect(chart.table.rows.at(-1)).toEqual({ label: '23:00', values: ['23,000', '0'] });
    expect(chart.ticks.length).toBeLessThan(10);
    expect(chart.ticks.at(-1)).toMatchObject({ label: 'now', x: '100%', anchor: 'end' });
  });
});

describe('a bar chart', () => {
  test('stacks bars to the height of the sum, and draws none for zero', () => {
    const { bars } = barChart(of([30, 0], [30, 0]));
    expect(bars.map(({ y, height }) => [y, height])).toEqual([
      ['50', '50'],
      ['0', '50'],
    ]);
  });
});

describe('a sparkline', () => {
  test('runs from left to right, and names its range', () => {
    const { label, line } = sparkline('Tokens per hour', [0, 5, 1500]);
    expect(label).toBe('Tokens per hour: lowest 0, highest 1,500');
    expect(points(line).map(([x]) => x)).toEqual([0, 50, 100]);
    expect(points(line).at(-1)).toEqual([100, 2]);
    expect(sparkline('Tokens per hour', []).label).toBe('Tokens per hour: no values');
  });
});
