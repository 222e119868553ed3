import { inTransaction } from '../../platform/database/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { SecretsDeps } from './deps.ts';
import { openVersion, type SealedVersion } from './envelope.ts';
import { type Keyring, sealed } from './keyring.ts';
import type { FoundVersion } from './read-statement.ts';
import type { ReadRequest } from './reads.ts';
import { mustAllow, type SecretCaller } from './rights.ts';
import { findSealedValue } from './store.ts';
import { decoded, type SecretData } from './values.ts';

/** The identifiers of a version. */
export type ReadVersion = Pick<
  FoundVersion,
  | 'path'
  | 'number'
  | 'current_version'
  | 'custom_metadata'
  | 'created_at'
  | 'expires_at'
  | 'deleted_at'
  | 'destroyed_at'
>;

/** The result of a read. `data` is present for a version that can be read. */
export type ReadResult =
  | { outcome: 'read'; version: ReadVersion; data: SecretData }
  | { outcome: 'deleted' | 'destroyed'; version: ReadVersion }
  | { outcome: 'missing' };

const mostTries = 3;

/**
 * Reads a version. The read is recorded in the same statement: without the event no value is returned. The caller's credential is checked
 * there once more, and whether the vault is open.
 *
 * @throws Problem `forbidden`; `sealed`; `revoked`: the credential was revoked meanwhile; `unreadable`
 */
export async function readSecret(deps: SecretsDeps, caller: SecretCaller, request: ReadRequest): Promise<ReadResult> {
  await mustAllow(deps, caller, { verb: 'read', path: request.path });
  for (let tries = 0; tries < mostTries; tries += 1) {
    const keyring = await deps.vault.keyring();
    const found = await deps.secretReads.find(caller, request, keyring.generation);
    if (found.outcome === 'revoked') throw revoked();
    if (found.outcome === 'missing') return { outcome: 'missing' };
    if (found.outcome === 'deleted' || found.outcome === 'destroyed') return { outcome: found.outcome, version: found };
    if (found.outcome === 'read' && keyring.terms.has(found.term)) return openedValue(deps, caller, keyring, found);
    // The vault was sealed, or another node created a term: the keys are read again, if the vault is open.
    deps.vault.forget();
  }
  throw sealed();
}

/** The value; one that was destroyed since the read was recorded is gone. */
async function openedValue(
  deps: SecretsDeps,
  caller: SecretCaller,
  keyring: Keyring,
  version: FoundVersion,
): Promise<ReadResult> {
  const { secret_id, number } = version;
  const sealed_value = version.sealed_value ?? (await findSealedValue(deps.db, secret_id, number));
  if (!sealed_value) return { outcome: 'destroyed', version };
  return { outcome: 'read', version, data: await opened(deps, caller, keyring, { ...version, sealed_value }) };
}

async function opened(
  deps: SecretsDeps,
  { actor }: SecretCaller,
  keyring: Keyring,
  found: FoundVersion & SealedVersion,
): Promise<SecretData> {
  const { secret_id, path, number, term } = found;
  const key = keyring.terms.get(term);
  if (!key) throw new Error('a term without a key');
  try {
    const value = openVersion({ key, opened: keyring.opened }, { secret_id, path, number }, found);
    const data = decoded(value);
    value.fill(0);
    return data;
  } catch {
    await inTransaction(deps.db, (trx) =>
      appendEvent(trx, {
        ...{ actor, action: 'secret.unreadable', target: { kind: 'secret', id: path }, outcome: 'failure' },
        ...{ reason: 'its row was changed in the database', details: { version: number }, occurred_at: deps.now() },
      }),
    );
    throw unreadable(found);
  }
}

function revoked(): Problem {
  const detail = 'The credential that you presented was revoked or has expired.';
  return new Problem(401, 'revoked', { title: 'Not authenticated', detail });
}

function unreadable({ path, number }: FoundVersion): Problem {
  const detail = `Version ${number} of "${path}" cannot be decrypted: its row was changed in the database. Restore it from a backup, or write a new version.`;
  return new Problem(500, 'unreadable', { title: 'Unreadable', detail });
}
