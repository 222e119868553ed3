/** Charts: shapes for server-rendered SVG, as pure functions; `views/charts/` draws them. */
export { type AreaChart, areaChart } from './area-chart.ts';
export { type BarChart, barChart } from './bar-chart.ts';
export type { Tone } from './chart.ts';
export { type Sparkline, sparkline } from './sparkline.ts';
