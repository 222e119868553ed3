import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { figure } from '../words.ts';
import type { Tone } from './chart.ts';

export type Sparkline = { label: string; tone: Tone; area: string; line: string };

const width = 100;
const height = 32;
const margin = 2;

/**
 * A small line without axes, in a rectangle of 100 × 32.
 *
 * @param what the text alternative: `Tokens issued per hour`
 */
export function sparkline(what: string, values: readonly number[], tone: Tone = 1): Sparkline {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = scaleLinear([0, Math.max(1, values.length - 1)], [0, width]);
  const y = scaleLinear([0, Math.max(1, most)], [height - margin, margin]);
  const areaOf = area<number>(
    (_, n) => x(n),
    height,
    (value) => y(value),
  ).digits(1);
  const lineOf = line<number>(
    (_, n) => x(n),
    (value) => y(value),
  ).digits(1);
  const range = values.length === 0 ? 'no values' : `lowest ${figure(least)}, highest ${figure(most)}`;
  return { label: `${what}: ${range}`, tone, area: areaOf(values) ?? '', line: lineOf(values) ?? '' };
}
