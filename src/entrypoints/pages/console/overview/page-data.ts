import type { AreaChart, Sparkline } from '../../charts/index.ts';

/** A figure with a comparison in words, and its course over 24 hours. */
export type Tile = {
  label: string;
  href: string | undefined;
  value: string;
  comparison: string;
  isAlarming: boolean;
  spark: Sparkline;
};

export type RangeLink = { text: string; href: string; isCurrent: boolean };

export type RequestsChart = {
  chart: AreaChart;
  since: Date;
  /** Until when everything is counted, if that is a while ago. */
  counted_until: Date | undefined;
};

/** Something that needs attention: its title, its details, and the page to fix it. */
export type AttentionLine = {
  icon: string;
  level: 'problem' | 'warning' | 'notice';
  what: string;
  detail: string;
  link: { text: string; href: string } | undefined;
};

export type FirstStepLine = {
  what: string;
  detail: string;
  isDone: boolean;
  link: { text: string; href: string } | undefined;
};

/** The first steps after setup. If the user has hidden the list, a form shows it again. */
export type FirstStepsCard = { isHidden: boolean; lines: FirstStepLine[]; done: number; csrf: string };

export type OverviewFigures = {
  ranges: readonly RangeLink[];
  requests: RequestsChart;
  tiles: readonly Tile[];
  attention: readonly AttentionLine[];
  /** Absent once all are done. */
  firstSteps: FirstStepsCard | undefined;
};

/** The first page of the console. Without the permission to read figures, it has only links to the sections. */
export type OverviewPage = { name: string; figures: OverviewFigures | undefined };
