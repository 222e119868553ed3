import { decide } from '../../src/domain/api-keys/decide.ts';
import { compileKey } from '../../src/domain/api-keys/entry.ts';
import { percentiles } from '../load/round.ts';

// Only the decision, for a key like that of the recommendation engine in examples/three-services.
const now = new Date();
const entry = compileKey(
  {
    ...{ id: 'a key', name: 'recommendation-engine', environment: 'prod', enabled: true },
    ...{ owner_id: 'an owner', owner_kind: 'client', owner: 'recommendation-engine', owner_enabled: true },
    ...{ expires_at: new Date(now.getTime() + 86_400_000), revoked_at: null, ends_at: null, number: 1 },
    permissions: ['database:read:*', 'cache:write:recommendations', 'api:call:pricing'].map((pattern) => ({
      resource: null,
      pattern,
    })),
    ...{ role_rights: [], roles: [], owner_rights: null, owner_rights_until: null },
    restrictions: { ip_allowlist: ['10.0.1.50', '10.0.2.0/24'], rate_limit: '1000 requests/minute' },
  },
  now,
);
const permission = 'database:read:products';
const asked = {
  ...{ needs: permission, permissions: [permission], resource: undefined, origin: undefined },
  ...{ ip: '10.0.2.7', cost: 1, parameters: {} },
};
const atOnce = 1000;

process.on('message', ({ milliseconds }: { milliseconds: number }) => {
  const took: number[] = [];
  const started = performance.now();
  for (let at = started; at - started < milliseconds; ) {
    for (let n = 0; n < atOnce; n += 1)
      if (decide(entry, asked, now).code !== 'valid') throw new Error('the key was refused');
    took.push((performance.now() - at) / atOnce);
    at = performance.now();
  }
  const seconds = (performance.now() - started) / 1000;
  process.send?.({ ...percentiles(took), operations: took.length * atOnce, seconds, cpuMicroseconds: 0 });
});
process.send?.({ ready: 'decide' });
