import { type InstalledPostgres, installedPostgres, openInstalledPostgres } from '../support/installed-postgres.ts';
import { Latchkey } from '../support/latchkey.ts';
import { report } from '../support/report.ts';
import { testWith } from '../support/where-possible.ts';

const title = 'keeps what was issued, proves its audit log, and what was revoked since is ended by "revoke --before"';
const testWherePossible = testWith(installedPostgres, 'PostgreSQL with pg_dump is not installed');

describe('a backup by pg_dump, restored elsewhere (docs/operations.md)', () => {
  const latchkey = new Latchkey();
  let postgres: InstalledPostgres | undefined;
  afterAll(async () => {
    await latchkey.stop();
    await postgres?.close();
  });

  testWherePossible(title, async () => {
    postgres = await openInstalledPostgres(installedPostgres ?? '');
    await latchkey.start({ adminUrl: postgres.url });
    const { rows } = await latchkey.database.query('show server_version');
    const kept = await latchkey.tokens();
    const leaked = await latchkey.tokens();
    const dump = postgres.file('latchkey.dump');
    await postgres.program('pg_dump', '--format=custom', '--file', dump, latchkey.database.url);
    await latchkey.post('/oauth/revoke', { token: leaked.refresh_token }, 'web-app');
    const incident = new Date().toISOString();

    const restored = Object.assign(new URL(postgres.url), { pathname: '/restored' }).href;
    await latchkey.database.query('create database restored');
    await postgres.program('pg_restore', '--exit-on-error', '--dbname', restored, dump);
    const env = { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' };
    const node = await latchkey.startAnother({ databaseUrl: restored, env });
    expect(await latchkey.isActive(kept.access_token, 'web-app', node.address)).toBe(true);
    // Credentials that a restore reactivates.
    expect(await latchkey.isActive(leaked.access_token, 'web-app', node.address)).toBe(true);
    await latchkey.commandJson(['revoke', '--before', incident, '--yes'], '', { DATABASE_URL: restored });
    expect(await latchkey.isActive(leaked.access_token, 'web-app', node.address)).toBe(false);
    expect(await latchkey.refresh(leaked.refresh_token, 'web-app', node.address)).toMatchObject({ status: 400 });

    const verified = await latchkey.commandJson(['audit', 'verify'], '', { DATABASE_URL: restored });
    expect(verified).toMatchObject({ ok: true });
    report(`pg_dump and pg_restore with PostgreSQL ${rows[0]?.server_version}: ${verified.events} events proved`);
  });
});
