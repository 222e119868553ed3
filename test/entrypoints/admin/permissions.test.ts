import { allows } from '../../../src/domain/access/index.ts';
import { adminRoutes as routes } from '../../../src/entrypoints/admin/index.ts';
import { AdminApi, asOwner, asService } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const nobodys = '00000000-0000-7000-8000-0000000000ff';
const known: Record<string, string> = {
  kind: 'user',
  consent_id: nobodys,
  grant_id: nobodys,
  key_id: nobodys,
  secret_id: nobodys,
};
/** An address of the route at which there is nothing, so that whoever is allowed changes nothing either. */
const addressOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'nothing');

describe('every route of the admin API', () => {
  const latchkey = startLatchkey();
  const callers = new Map<string, AdminApi>();
  let patterns: Record<string, string[]> = {};

  beforeAll(async () => {
    const owner = await asOwner(latchkey);
    const { body } = await owner.get('/roles');
    patterns = Object.fromEntries(
      body.items.map(({ name, permissions }) => [
        name,
        (permissions as { pattern: string }[]).map(({ pattern }) => pattern),
      ]),
    );
    for (const role of ['administrator', 'operator', 'auditor']) {
      const all = routes
        .map(({ permission }) => permission)
        .filter((permission) => allows(patterns[role] ?? [], permission));
      const scope = [...new Set(all)].join(' ');
      callers.set(
        role,
        await asService(latchkey, owner, { roles: [role], permissions: ['latchkey:none:none'], scope }),
      );
    }
    callers.set('owner', owner);
    callers.set('nobody', new AdminApi(latchkey.issuer, undefined));
    const { body: other } = await latchkey.clientCredentials();
    callers.set('for another API', new AdminApi(latchkey.issuer, other.access_token));
  });

  const asked = routes.flatMap(({ method, path, permission }) =>
    ['owner', 'administrator', 'operator', 'auditor', 'nobody', 'for another API'].map(
      (caller) => [method, path, permission, caller] as const,
    ),
  );

  test.each(asked)('%s %s (%s) is answered as it should be to %s', async (method, path, permission, caller) => {
    const api = callers.get(caller);
    if (!api) throw new Error(`no ${caller}`);
    const body = method === 'GET' || method === 'DELETE' ? undefined : { unknown: 1 };
    const { status, body: answer } = await api.call(method, addressOf(path), { body });
    if (caller === 'nobody' || caller === 'for another API') return expect(status).toBe(401);
    const isAllowed = allows(patterns[caller] ?? [], permission);
    if (!isAllowed) return expect({ status, permission: answer.permission }).toEqual({ status: 403, permission });
    return expect([200, 400, 404]).toContain(status);
  });
});
