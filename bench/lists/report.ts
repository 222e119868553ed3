/** The figures of one page: times in milliseconds (`cpu`: of server and PostgreSQL), statements, and tables read without an index. */
export type PageFigures = {
  what: 'first' | 'deep' | 'sorted' | 'search' | 'filter';
  path: string;
  status: number;
  cpu: number;
  p50: number;
  p99: number;
  statements: number;
  scans: readonly string[];
};

export type ListFigures = { name: string; pages: readonly PageFigures[] };

// Other processes on the machine affect the time, but not the CPU time.
const target = { cpu: 50, p99: 300 };

/** The result as Markdown: the slowest pages of each list, and the pages that miss the target. */
export function listReport(lists: readonly ListFigures[]): string {
  const columns = ['first', 'deep', 'sorted', 'search', 'filter'] as const;
  const heads = ['first page', 'a page deep in', 'slowest order', 'slowest search', 'slowest filter'];
  const rows = lists.map(({ name, pages }) => [name, ...columns.map((what) => slowest(pages, what))]);
  const missed = lists.flatMap(({ pages }) => pages.filter(misses));
  return [
    'Milliseconds of CPU (p50 / p99 of the time):',
    '',
    ...[['list', ...heads], ['---', ...heads.map(() => '---')], ...rows].map((row) => `| ${row.join(' | ')} |`),
    '',
    missed.length === 0
      ? `Every page meets its target: at most ${target.cpu} ms of CPU, p99 ≤ ${target.p99} ms, no table read without an index.`
      : `**Missed**: ${missed.map(({ path, scans }) => `\n- ${[path, ...scans].join(' ')}`).join('')}`,
  ].join('\n');
}

function slowest(pages: readonly PageFigures[], what: PageFigures['what']): string {
  const [page] = pages.filter((each) => each.what === what).toSorted((a, b) => b.cpu - a.cpu);
  return page ? `${page.cpu.toFixed(0)} (${page.p50.toFixed(0)} / ${page.p99.toFixed(0)})` : '–';
}

function misses({ status, cpu, p99, scans }: PageFigures): boolean {
  return status !== 200 || cpu > target.cpu || p99 > target.p99 || scans.length > 0;
}
