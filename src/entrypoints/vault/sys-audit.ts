import { allows } from '../../domain/access/index.ts';
import { auditHash } from '../../domain/secrets/index.ts';
import { answerAtTop, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

/** The audit log, which is always on. */
export const auditRoutes: readonly VaultRoute[] = [
  { path: /^sys\/audit$/, route: '/v1/sys/audit', closed: { read: list } },
  { path: /^sys\/audit\/[^/]+$/, route: '/v1/sys/audit', closed: { write: refuse, delete: refuse } },
  { path: /^sys\/audit-hash\/([^/]+)$/, route: '/v1/sys/audit-hash', closed: { write: hash } },
];

const name = 'latchkey';

/** With a hash and the audit log one can check a guess of a value. @throws VaultError 403 */
function mayHash({ caller: { rights } }: Called): void {
  if (!allows(rights, 'secrets:audit-hash')) throw permissionDenied();
}

async function list(_: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayHash(asked);
  const described = { type: name, description: 'the audit log', options: {}, local: false, path: `${name}/` };
  return answerAtTop(asked.request.request_id, { [`${name}/`]: described });
}

async function refuse(): Promise<VaultAnswer> {
  throw new VaultError(400, 'the audit log is always on, and the only one');
}

/** The value of events of written secrets for a part of this value. */
async function hash(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  mayHash(asked);
  if (asked.names[0] !== name) throw new VaultError(400, `unknown audit backend: use ${name}`);
  const { input } = asked.body;
  if (typeof input !== 'string' || input === '') throw new VaultError(400, 'the "input" parameter is empty');
  return answerAtTop(asked.request.request_id, { hash: auditHash(deps, input) });
}
