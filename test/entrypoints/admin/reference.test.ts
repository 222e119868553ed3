import { adminReference, adminRoutes, searchReference } from '../../../src/entrypoints/admin/index.ts';

const issuer = 'https://id.example.com';
const operations = adminReference(issuer).flatMap((group) => group.operations);

describe('the API reference', () => {
  test('has every route once, each under an address of its own', () => {
    const shown = operations.map(({ method, path }) => `${method} ${path}`).sort();
    expect(shown).toEqual(adminRoutes.map(({ method, path }) => `${method} /admin/v1${path}`).sort());
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  });

  test.each(adminRoutes.map((route) => ({ name: `${route.method} ${route.path}`, route })))(
    'has an example of %s',
    ({ route: { method, path, body, response } }) => {
      const shown = operations.find((each) => each.method === method && each.path === `/admin/v1${path}`);
      if (!shown) throw new Error('not shown');
      expect(shown.curl).toMatch(
        /^curl (-X (POST|PUT|PATCH|DELETE) )?'https:\/\/id\.example\.com\/admin\/v1\/[^'{}]*' \\\n/,
      );
      if (body) expect(body.safeParse(shown.request_example)).toMatchObject({ success: true });
      expect(shown.body.length > 0).toBe(body !== undefined);
      expect(shown.response_example !== undefined).toBe(response !== undefined);
      if (shown.response_example) expect(() => JSON.parse(shown.response_example ?? '')).not.toThrow();
    },
  );

  test('shows nested members, with type, default and bounds', () => {
    const create = operations.find(({ id }) => id === 'resource-servers-create');
    const scopes = create?.body.findIndex(({ name }) => name === 'scopes') ?? -1;
    expect(create?.body.slice(scopes, scopes + 2)).toMatchObject([
      { name: 'scopes', level: 0, type: 'array of object' },
      { name: 'name', level: 1, type: 'string', is_required: true },
    ]);
    expect(create?.body.find(({ name }) => name === 'access_token_format')).toMatchObject({
      type: '"opaque" | "jwt"',
      description: expect.stringContaining('default: "opaque"'),
    });
  });

  test('is searched by path, action and permission, in any order', () => {
    const found = (q: string) => searchReference(adminReference(issuer), q).flatMap((group) => group.operations);
    expect(found('SECRET rotate clients').map(({ path }) => path)).toEqual([
      '/admin/v1/clients/{client_id}/secrets/rotate',
    ]);
    expect(found('latchkey:grant:revoke').length).toBeGreaterThan(0);
    expect(found('no such thing')).toEqual([]);
    expect(found('')).toHaveLength(operations.length);
  });
});
