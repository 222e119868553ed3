// Preloaded into the server whose lists are measured: records the statements that it sends, and explains them on request.
import pg from 'pg';

type Statement = { text: string; values: readonly unknown[] };
type Plan = {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
};

let noted: Statement[] | undefined;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function noting(this: pg.Client, ...input: unknown[]) {
  const statement = noted && statementIn(input);
  if (statement) noted?.push(statement);
  return Reflect.apply(query, this, input);
} as typeof query;

process.on('message', (message) => {
  if (message === 'note statements') {
    noted = [];
    process.send?.({ isNoting: true });
  }
  if (message === 'explain statements') void explain().then((explained) => process.send?.(explained));
});
process.channel?.unref();

function statementIn([first, second]: readonly unknown[]): Statement | undefined {
  const { text, values } =
    typeof first === 'string' ? { text: first, values: second } : (first as { text?: string; values?: unknown });
  if (!text || !/^\s*(select|with|\(select)/i.test(text)) return undefined;
  return { text, values: Array.isArray(values) ? values : [] };
}

// More rows than a list counts. Reading a smaller table as a whole is as fast as an index.
const large = 12_000;

/** The number of recorded statements, and the tables that they read many rows of without an index. */
async function explain(): Promise<{ statements: number; scans: string[] }> {
  const statements = noted ?? [];
  noted = undefined;
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    const scans = new Set<string>();
    for (const { text, values } of statements) {
      const { rows } = await client.query(`explain (analyze, format json) ${text}`, [...values]);
      for (const table of scansIn(rows[0]['QUERY PLAN'][0].Plan)) scans.add(table);
    }
    return { statements: statements.length, scans: [...scans] };
  } finally {
    await client.end();
  }
}

function scansIn(plan: Plan): string[] {
  const read = plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0);
  const own = plan['Node Type'] === 'Seq Scan' && read > large ? [plan['Relation Name'] ?? ''] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansIn)];
}
