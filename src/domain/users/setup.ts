import { v7 as uuidv7 } from 'uuid';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound, system } from '../../platform/http/index.ts';
import { assignRole, hasOwner } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { hashNewPassword } from './password.ts';
import { savePasswordHash } from './password-store.ts';
import { refuseIdShaped, refuseTaken } from './profiles.ts';
import type { UserInput } from './schemas.ts';
import { insertSetupLink, insertUser, isOpenSetupLink, lockSetup, type User, useSetupLink } from './store.ts';

export type SetupDeps = { db: Db; now: () => Date };

const linkMs = 24 * 60 * 60 * 1000;
const prefix = 'lk_setup_';

/**
 * Creates a one-time secret that opens the setup page for a day, as long as there is no administrator.
 *
 * @throws Problem `conflict`: there is an administrator already
 */
export async function createSetupLink({ db, now }: SetupDeps): Promise<string> {
  if (await hasOwner(db))
    throw conflict(
      'An administrator already exists; sign in, or create another with `latchkey user create --role owner`.',
    );
  const secret = generateCredential(prefix);
  await inTransaction(db, async (trx) => {
    const created_at = now();
    await insertSetupLink(trx, {
      digest: digest(secret),
      created_at,
      expires_at: new Date(created_at.getTime() + linkMs),
    });
    await appendEvent(trx, { actor: system, action: 'setup_link.created', occurred_at: created_at });
  });
  return secret;
}

/** Whether a value has the form of a set-up secret. */
export const looksLikeSetupSecret = (value: string): boolean => value.startsWith(prefix);

/** Whether this secret opens the setup page now. */
export async function isSetupOpen({ db, now }: SetupDeps, secret: string): Promise<boolean> {
  return !(await hasOwner(db)) && (await isOpenSetupLink(db, digest(secret), now()));
}

/**
 * Creates the first administrator and uses the link.
 *
 * @throws Problem `not_found`: the link was used, has expired, or an administrator exists; `invalid`: weak
 *   password, or a username that looks like an id; `conflict`: name taken
 */
export async function setUpFirstAdministrator(
  { db, now }: SetupDeps,
  actor: Actor,
  { secret, ...input }: UserInput & { secret: string; password: string },
): Promise<User> {
  refuseIdShaped(input.username);
  const hash = await hashNewPassword(input.password, input);
  return inTransaction(db, async (trx) => {
    await lockSetup(trx);
    const occurred_at = now();
    const isOpen = !(await hasOwner(trx)) && (await useSetupLink(trx, digest(secret), occurred_at));
    if (!isOpen) throw notFound('setup link', '…');
    const { username, email = null, name = null } = input;
    const user = await insertUser(trx, {
      id: uuidv7(),
      username,
      email,
      name,
      created_at: occurred_at,
      updated_at: occurred_at,
    }).catch(refuseTaken);
    await savePasswordHash(trx, { id: uuidv7(), user_id: user.id, password: hash, now: occurred_at });
    await appendEvent(trx, { actor, action: 'user.created', target: { kind: 'user', id: user.id }, occurred_at });
    await assignRole(trx, actor, { subject: { kind: 'user', id: user.id }, role: 'owner', occurred_at });
    return user;
  });
}
