import type Provider from 'oidc-provider';
import { type AuditEvent, appendEvent } from '../../../domain/audit/index.ts';
import { inTransaction } from '../../../platform/database/index.ts';
import { system } from '../../../platform/http/index.ts';
import type { JobHandler, Jobs } from '../../../platform/jobs/index.ts';
import type { StoreDeps } from '../store/index.ts';
import { currentUnit, runDetached } from '../unit-of-work/index.ts';
import { type DeliverLogout, hiddenModels } from './library-seams.ts';

const deliveries = new WeakMap<Provider, DeliverLogout>();

/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0): oidc-provider would post to every client inside the user's request and try
 * once. Here the request's transaction enqueues a job per client, and a worker retries until the client has accepted it.
 */
export function deliverLogoutsLater(provider: Provider, { jobs }: { jobs: Jobs }): void {
  const { prototype } = hiddenModels(provider).Client;
  deliveries.set(provider, prototype.backchannelLogout);
  prototype.backchannelLogout = async function backchannelLogout(sub, sid) {
    const { clientId: client_id } = this;
    currentUnit().operations.push((trx) => jobs.send(trx, 'backchannel-logout', { client_id, sub, sid }));
  };
}

/** The worker: one logout token to one client. Throws where the client did not accept it, so that it is retried. */
export function deliverLogout(current: () => Provider, { db, now }: Pick<StoreDeps, 'db' | 'now'>): JobHandler {
  return async ({ client_id, sub, sid }) => {
    const provider = current();
    await runDetached(async () => {
      const client = await provider.Client.find(String(client_id));
      if (client?.backchannelLogoutUri)
        await deliveries.get(provider)?.call(client, String(sub), sid as string | undefined);
    });
    const event: AuditEvent = {
      actor: system,
      action: 'backchannel_logout.delivered',
      target: { kind: 'client', id: String(client_id) },
      details: { sid },
      occurred_at: now(),
    };
    await inTransaction(db, (trx) => appendEvent(trx, event));
  };
}
