import { asOwner } from '../../support/admin.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

/** The services of a shop, each with its key, its allowed and its refused requests. */
const services = {
  'recommendation-engine': {
    key: {
      permissions: [
        'database:read:products',
        'database:read:purchase_history',
        'cache:write:recommendations',
        'api:call:pricing',
      ],
      restrictions: { ip_allowlist: ['10.0.1.50'], rate_limit: '1000 requests/minute' },
    },
    from: { ip: '10.0.1.50' },
    acts: [
      [{ permission: 'database:read:products' }, 'valid'],
      [{ permission: 'database:read:purchase_history' }, 'valid'],
      [{ permission: 'cache:write:recommendations' }, 'valid'],
      [{ permission: 'api:call:pricing' }, 'valid'],
      [{ permissions: { and: ['database:read:products', 'api:call:pricing'] } }, 'valid'],
      [{ permissions: { or: ['database:write:products', 'api:call:pricing'] } }, 'valid'],
      [{ permission: 'database:read:products', ip: '::ffff:10.0.1.50' }, 'valid'],
      [{ permission: 'database:read:products', ip: '::ffff:a00:132' }, 'valid'],
      [{ permissions: { and: ['database:read:products', 'database:write:products'] } }, 'insufficient_permissions'],
      [{ permission: 'database:write:products' }, 'insufficient_permissions'],
      [{ permission: 'database:read:users' }, 'insufficient_permissions'],
      [{ permission: 'database:read' }, 'insufficient_permissions'],
      [{ permission: 'database:read:*' }, 'insufficient_permissions'],
      [{ permission: 'database:read:Products' }, 'insufficient_permissions'],
      [{ permission: 'database:read:products', ip: '10.0.1.51' }, 'ip_not_allowed'],
      [{ permission: 'database:read:products', ip: '::ffff:10.0.1.51' }, 'ip_not_allowed'],
      [{ permission: 'database:read:products', ip: '2001:db8::10.0.1.50' }, 'ip_not_allowed'],
    ],
  },
  'notification-service': {
    key: {
      permissions: ['email:send', 'sms:send', 'database:read:user_contact_info'],
      restrictions: {
        rate_limit: [{ limit: '10000 messages/hour', for: ['email:send', 'sms:send'] }],
        allowed_templates: {
          values: ['welcome', 'password_reset', 'order_confirmation'],
          for: ['email:send', 'sms:send'],
        },
      },
    },
    from: {},
    acts: [
      [{ permission: 'email:send', parameters: { template: 'welcome' } }, 'valid'],
      [{ permission: 'sms:send', parameters: { template: ['password_reset', 'order_confirmation'] } }, 'valid'],
      [{ permission: 'database:read:user_contact_info' }, 'valid'],
      [{ permission: 'email:send', parameters: { template: 'newsletter' } }, 'value_not_allowed'],
      [{ permission: 'email:send', parameters: { template: ['welcome', 'newsletter'] } }, 'value_not_allowed'],
      [{ permission: 'email:send', parameters: { template: 'Welcome' } }, 'value_not_allowed'],
      [{ permission: 'email:send' }, 'value_not_allowed'],
      [{ permission: 'email:send', parameters: { template: 'welcome' }, cost: 10_001 }, 'rate_limited'],
      [{ permission: 'database:read:products' }, 'insufficient_permissions'],
    ],
  },
  'logging-service': {
    key: { permissions: ['logs:write'], restrictions: { rate_limit: '100000 log entries/minute' } },
    from: {},
    acts: [
      [{ permission: 'logs:write', cost: 500 }, 'valid'],
      [{ permission: 'logs:read' }, 'insufficient_permissions'],
      [{ permission: 'logs:write:audit' }, 'insufficient_permissions'],
      [{ permissions: { or: ['logs:read', 'logs:delete'] } }, 'insufficient_permissions'],
      [{ permission: 'logs:write', cost: 100_001 }, 'rate_limited'],
    ],
  },
} as const;

/** The same with roles. */
const roles = {
  'database-reader': ['database:read:*'],
  'api-caller': ['api:call:external'],
  'cache-writer': ['cache:write:*'],
  'logs-writer': ['logs:write'],
  admin: ['*'],
};

const byRole = [
  [['database-reader', 'api-caller', 'cache-writer'], 'database:read:products', 'valid'],
  [['database-reader', 'api-caller', 'cache-writer'], 'database:read:products:42', 'valid'],
  [['database-reader', 'api-caller', 'cache-writer'], 'cache:write:recommendations', 'valid'],
  [['database-reader', 'api-caller', 'cache-writer'], 'api:call:external', 'valid'],
  [['database-reader', 'api-caller', 'cache-writer'], 'api:call:internal', 'insufficient_permissions'],
  [['database-reader', 'api-caller', 'cache-writer'], 'cache:read:recommendations', 'insufficient_permissions'],
  [['logs-writer'], 'logs:write', 'valid'],
  [['logs-writer'], 'logs:read', 'insufficient_permissions'],
  [['admin'], 'database:drop:everything', 'valid'],
  [['admin'], 'latchkey:client:read', 'insufficient_permissions'],
  [['admin'], 'secrets:read:root', 'insufficient_permissions'],
] as const;

describe('the key of', () => {
  const latchkey = startLatchkey();
  let gateway: Gateway;
  const keys: Record<string, string> = {};
  beforeAll(async () => {
    const owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    for (const [client_id, { key }] of Object.entries(services)) {
      await owner.post('/clients', { client_id, grant_types: ['client_credentials'] });
      keys[client_id] = (await gateway.mint({ name: client_id, owner: { client_id }, ...key })).key;
    }
    for (const [name, patterns] of Object.entries(roles)) {
      const permissions = patterns.map((pattern) => ({ resource: null, pattern }));
      await owner.post('/roles', { name, permissions });
    }
    for (const given of new Set(byRole.map(([names]) => names.join())))
      keys[given] = (await gateway.mint({ permissions: [], roles: given.split(',') })).key;
  });

  const acts = Object.entries(services).flatMap(([service, { acts: each, from }]) =>
    each.map(([act, code]) => [service, { ...from, ...act }, code] as const),
  );
  test.each(acts)('%s requesting %j is %s', async (service, request, code) => {
    const verdict = await gateway.verify({ key: keys[service], ...request });
    expect(verdict).toMatchObject({
      code,
      valid: code === 'valid',
      subject: service,
      reason: expect.stringMatching(/.{10}\.$/),
    });
    if (code === 'insufficient_permissions') expect(verdict.missing).not.toEqual([]);
  });

  test.each(byRole)('roles %j requesting %s is %s', async (given, permission, code) => {
    expect(await gateway.verify({ key: keys[given.join()], permission })).toMatchObject({ code });
  });
});
