// Does the time of a response reveal whether an account exists? (docs/performance.md)
// Run it alone: node bench/enumeration.ts [pairs]
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate } from '../src/platform/database/index.ts';
import { installJobs } from '../src/platform/jobs/index.ts';
import { usernameOf } from './installation.ts';
import { percentiles } from './load/round.ts';
import { openBenchPostgres } from './postgres.ts';
import { startLatchkey } from './servers.ts';

const pairs = Number(process.argv[2] ?? 200);
const warmUp = 10;
/** The jobs of a request begin at once, and look the user up: they have ended before the next request is measured. */
const quietMs = 150;
const known = { username: usernameOf(0), email: `${usernameOf(0)}@example.com` };
const unknown = { username: 'nobody-here', email: 'unknown@example.com' };
const people = { known, unknown };
type Who = typeof known;
type Kind = keyof typeof people;

/** Requests that a stranger can make about a user: a page with a form, and its fields. */
const questions: Readonly<Record<string, { path: string; fields?: (who: Who) => Record<string, string> }>> = {
  'sign in, wrong password': { path: '/sign-in', fields: ({ username }) => ({ login: username, password: 'a guess' }) },
  'forgot password': { path: '/forgot-password', fields: ({ email }) => ({ login: email }) },
  'sign up': { path: '/sign-up', fields: ({ email }) => ({ email }) },
  // The challenge names no user; only an app's login hint could make a difference.
  'passkey begin': { path: '/sign-in' },
};

const postgres = await openBenchPostgres();
try {
  const databaseUrl = await postgres.createDatabase('enumeration');
  await migrate(databaseUrl, undefined, (db) => installJobs(db, databaseUrl));
  const mail = { LATCHKEY_SMTP_URL: 'smtp://127.0.0.1:9', LATCHKEY_MAIL_FROM: 'latchkey@example.com' };
  const server = await startLatchkey('Latchkey', { databaseUrl, env: { ...mail, LATCHKEY_SIGN_UP: 'open' } });
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  // Only a verified address gets mail.
  const verified = `update users set email_verified = true, email_verified_by = 'link', email_verified_at = now() where email = $1`;
  await client.query(verified, [known.email]);
  try {
    process.stdout.write(
      '| request | known, p50 | unknown, p50 | ratio | known, p99 | unknown, p99 |\n|---|---|---|---|---|---|\n',
    );
    for (const name of Object.keys(questions)) process.stdout.write(`${await rowOf(name, server.origin, client)}\n`);
  } finally {
    await client.end();
    await server.stop();
  }
} finally {
  await postgres.close();
}

/** Sends requests about the known and the unknown user alternately, so that both are measured under the same conditions. */
async function rowOf(name: string, origin: string, client: pg.Client): Promise<string> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let n = -warmUp; n < pairs; n += 1)
    for (const kind of inTurn(n)) {
      await client.query('delete from throttles');
      await sleep(quietMs);
      const took = await asked(name, origin, people[kind]);
      if (n >= 0) times[kind].push(took);
    }
  const [here, there] = [percentiles(times.known), percentiles(times.unknown)];
  const cells = [here.p50, there.p50, here.p50 / there.p50, here.p99, there.p99].map((figure) => figure.toFixed(2));
  return `| ${[name, ...cells].join(' | ')} |`;
}

function inTurn(n: number): Kind[] {
  return n % 2 === 0 ? ['known', 'unknown'] : ['unknown', 'known'];
}

/** The time of a response in milliseconds, in a new browser. */
async function asked(name: string, origin: string, who: Who): Promise<number> {
  const { path, fields } = questions[name] ?? { path: '/' };
  const page = await fetch(`${origin}${path}`);
  const csrf = /name="csrf"[^>]*value="([^"]*)"/.exec(await page.text())?.[1] ?? '';
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const began = performance.now();
  const answer = fields
    ? await fetch(`${origin}${path}`, {
        method: 'POST',
        headers: { cookie, origin },
        redirect: 'manual',
        body: new URLSearchParams({ csrf, ...fields(who) }),
      })
    : await fetch(`${origin}${path}?login_hint=${encodeURIComponent(who.email)}`, { headers: { cookie } });
  await answer.arrayBuffer();
  const took = performance.now() - began;
  if (answer.status >= 500 || answer.status === 429 || answer.status === 403)
    throw new Error(`${name}: ${answer.status}`);
  return took;
}
