/** A list of the console: its address, and the queries whose first pages are measured. */
export type MeasuredList = { name: string; path: string; sorts: readonly string[]; queries: readonly string[] };

const list = (
  name: string,
  path: string,
  { sorts = [], queries = [] }: { sorts?: readonly string[]; queries?: readonly string[] } = {},
): MeasuredList => ({ name, path: `/console/${path}`, sorts, queries });

const month = 'range=30d';

/** Every list, with each of its orders, and a query for each filter. */
export const measuredLists: readonly MeasuredList[] = [
  list('Users', 'users', {
    sorts: ['username', 'name', 'email', 'created_at'],
    queries: ['q=user77', 'q=person+7777', 'q=user77%40example27.com', 'q=nobody', 'enabled=false', 'role=role-7'],
  }),
  list('Clients', 'clients', {
    sorts: ['client_id', 'name', 'type', 'created_at', 'last_used_at'],
    queries: ['q=client77', 'q=application', 'q=nobody', 'type=spa', 'enabled=false'],
  }),
  list('API keys', 'api-keys', {
    sorts: ['name', 'created_at', 'expires_at', 'last_used_at'],
    queries: [
      ...['q=key+77', 'q=sk_prod_1', 'q=nobody', 'environment=dev', 'state=revoked', 'state=expired', 'state=disabled'],
      ...['client_id=client77', 'user=user77', 'environment=prod&state=revoked'],
    ],
  }),
  list('Credentials', 'credentials', {
    sorts: ['name', 'created_at', 'expires_at', 'due_at', 'last_used_at'],
    queries: [
      ...[
        'q=key+77',
        'q=nobody',
        'state=revoked',
        'state=expired',
        'state=inactive',
        'due=true',
        'user=user77',
        'client_id=client77',
      ],
      ...[
        'api_key',
        'client_secret',
        'session',
        'grant',
        'refresh_token',
        'access_token',
        'password',
        'password_link',
      ].map((kind) => `kind=${kind}`),
    ],
  }),
  list('Sessions', 'sessions', { sorts: ['signed_in_at', 'last_seen_at'], queries: ['user=user77'] }),
  list('Consents', 'consents', {
    queries: ['user=user77', 'client_id=client77', 'standing=true', 'standing=false'],
  }),
  list('Grants', 'grants', { queries: ['user=user77', 'client_id=client77'] }),
  list('Roles', 'roles', { sorts: ['name'], queries: ['q=team'] }),
  list('APIs', 'apis', { sorts: ['name'], queries: ['q=api7'] }),
  list('Webhooks', 'webhooks', { sorts: ['url', 'created_at'], queries: ['enabled=true'] }),
  list('Audit log', 'audit-log', {
    sorts: ['occurred_at'],
    queries: [
      ...['range=1h', 'range=24h', month, `${month}&sort=occurred_at`, 'from=2026-01-01T00%3A00&to=2026-01-02T00%3A00'],
      ...['action=session.started', 'action=access_token.issued', 'action=audit.exported', 'action=user.deleted'],
      ...['outcome=failure', 'outcome=success', 'actor=user77', 'actor=client%3Aclient77', 'actor=client%3Anobody'],
      ...['target=user77', 'request_id=request-77', 'request_id=none', 'q=192.0.2.77', 'q=nothing'],
      ...['action=user.deleted&outcome=failure', `request_id=none&${month}`, `outcome=failure&action=session.started`],
    ],
  }),
  list('Access records', 'access-records', {
    sorts: ['occurred_at'],
    queries: [
      ...[
        'kind=verification',
        'kind=exchange',
        'outcome=refused',
        'outcome=inactive',
        'credential=none',
        'client=client77',
      ],
      ...['client=nobody', 'address=192.0.2.77', 'address=198.51.100.1', 'range=1h', 'range=24h', month],
      ...[`client=nobody&${month}`, `kind=verification&${month}`],
    ],
  }),
  list('Search', 'search', {
    queries: ['q=user77', 'q=application', 'q=key', 'q=0077', 'q=nobody', 'q=019a0100-0000-7000-8000-000000000077'],
  }),
  { name: 'Overview', path: '/console', sorts: [], queries: ['range=7d', 'range=30d'] },
];
