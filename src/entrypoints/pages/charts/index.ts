/** Charts: shapes for server-rendered SVG, as pure functions; `views/charts/` draws them. */
export { type AreaChart, areaChart } from './area-chart.ts';
export { type BarChart, barChart } from './bar-chart.ts';
export type { Tone } from './chart.ts';
export { type Sparkline, sparkline } from './sparkline.ts';
export { type Period, type PeriodStyle, type Timeline, timeline } from './timeline.ts';
