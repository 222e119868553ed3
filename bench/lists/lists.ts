import pg from 'pg';
import { migrate } from '../../src/platform/database/index.ts';
import { installJobs } from '../../src/platform/jobs/index.ts';
import { usernameOf } from '../installation.ts';
import { Browser } from '../load/browser.ts';
import { Connection } from '../load/connection.ts';
import { percentiles } from '../load/round.ts';
import type { BenchPostgres } from '../postgres.ts';
import { ask, cpuOf } from '../processes.ts';
import { type MeasuredServer, startLatchkey } from '../servers.ts';
import { fillLists, type Sizes } from './fill.ts';
import { type MeasuredList, measuredLists } from './pages.ts';
import { type ListFigures, listReport, type PageFigures } from './report.ts';

const pagesDeep = 10;
const requestsOfPage = 30;
const longestMsOfPage = 3000;
/** Measures every list of the console, global search and the overview on a filled database, over HTTP with one request at a time. */
export async function measureLists(postgres: BenchPostgres, sizes: Sizes, start: string): Promise<string> {
  const databaseUrl = await postgres.createDatabase('lists');
  await migrate(databaseUrl, undefined, (db) => installJobs(db, databaseUrl));
  await timed('The database is full', () => fillLists(databaseUrl, sizes));
  const server = await startLatchkey('Latchkey', { databaseUrl, preload: './bench/lists/note-statements.ts' });
  try {
    await timed('Events are counted and sealed', () => untilCounted(databaseUrl, sizes));
    const browser = await signedIn(server);
    const figures: ListFigures[] = [];
    for (const list of measuredLists.filter(({ name }) => name.startsWith(start)))
      figures.push(await figuresOf(list, { server, postgres, browser }));
    return listReport(figures);
  } finally {
    await server.stop();
  }
}

async function signedIn({ origin }: MeasuredServer): Promise<Browser> {
  const connection = new Connection(origin);
  await connection.open();
  const browser = new Browser(connection, 0);
  await browser.signIn('/console', usernameOf(0));
  return browser;
}

type Measuring = { server: MeasuredServer; postgres: BenchPostgres; browser: Browser };

async function figuresOf(list: MeasuredList, measuring: Measuring): Promise<ListFigures> {
  const paths = pathsOf(list, await deepPage(list.path, measuring.browser));
  const pages: PageFigures[] = [];
  for (const { what, path } of paths) {
    const page = { what, path, ...(await measurePage(path, measuring)) };
    const scans = page.scans.length > 0 ? ` reads whole: ${page.scans.join(', ')}` : '';
    process.stderr.write(
      `${path.slice(0, 90).padEnd(90)} ${page.cpu.toFixed(1)} ms of CPU, ${page.p50.toFixed(1)} / ${page.p99.toFixed(1)} ms, ${page.statements} statements${scans}\n`,
    );
    pages.push(page);
  }
  return { name: list.name, pages };
}

type Measured = Pick<PageFigures, 'what' | 'path'>;

function pathsOf({ path, sorts, queries }: MeasuredList, deep: string | undefined): Measured[] {
  const sorted = sorts.flatMap((sort) => [sort, `-${sort}`]);
  return [
    { what: 'first', path },
    ...(deep ? [{ what: 'deep' as const, path: deep }] : []),
    ...sorted.map((sort) => ({ what: 'sorted' as const, path: `${path}?sort=${sort}` })),
    ...queries.map((query) => ({
      what: query.startsWith('q=') ? ('search' as const) : ('filter' as const),
      path: `${path}?${query}`,
    })),
  ];
}

/** The address of a page deep in the list; undefined: it has one page. */
async function deepPage(path: string, browser: Browser): Promise<string | undefined> {
  let at: string | undefined;
  for (let page = 0; page < pagesDeep; page += 1) {
    const { body } = await browser.page(at ?? path);
    const next = /rel="next" href="([^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&');
    if (!next) return at;
    at = next;
  }
  return at;
}

async function measurePage(path: string, { server: { child }, postgres, browser }: Measuring) {
  await ask(child, 'note statements');
  const { status, body } = await browser.page(path);
  const explained = await ask<{ statements: number; scans: string[] }>(child, 'explain statements');
  if (status !== 200) process.stderr.write(`${path} answers ${status}: ${body.slice(0, 200)}\n`);
  await browser.page(path);
  const took: number[] = [];
  const until = performance.now() + longestMsOfPage;
  const cpu = () => (cpuOf(child.pid ?? 0) + cpuOf(postgres.pid)) / 1000;
  const cpuBefore = cpu();
  while (took.length < requestsOfPage && performance.now() < until) {
    const started = performance.now();
    await browser.page(path);
    took.push(performance.now() - started);
  }
  return { ...percentiles(took), cpu: (cpu() - cpuBefore) / took.length, status, ...explained };
}

/** Waits until the server's jobs have processed the events, as in an installation of this size. */
async function untilCounted(databaseUrl: string, { events }: Sizes): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (let isDone = false; !isDone; ) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { rows } =
        await client.query(`select (select min(counted_until) from activity_positions) > now() - interval '5 minutes'
        and (select sum(event_count) from audit_segments) >= ${events} as is_done`);
      isDone = rows[0].is_done === true;
    }
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await work();
  process.stderr.write(`${what} after ${Math.round((performance.now() - started) / 1000)} s\n`);
}
