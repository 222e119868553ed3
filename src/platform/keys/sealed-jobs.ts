import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Sealed, type SealedPlace, seal, unseal } from '../crypto/index.ts';
import type { KeyPurpose, ServerKeys } from './server-keys.ts';

type SealingPurpose = Extract<KeyPurpose, 'mail' | 'recovery' | 'sign-up' | 'sign-in-code'>;

const SealedJob = z.object({ id: z.uuid(), key_id: z.int(), sealed: z.base64() });

/** The data of a job, unreadable in the database. The key's purpose is the name of the job's queue. */
export function sealJob(keys: ServerKeys, purpose: SealingPurpose, content: unknown): z.infer<typeof SealedJob> {
  const id = uuidv7();
  const { id: key_id, key } = keys.current(purpose);
  return { id, key_id, sealed: seal(key, placeOf(purpose, id), JSON.stringify(content)).toString('base64') };
}

/** The value sealed into the data of a job, as JSON. @throws when its key is unknown or it was changed */
export async function openJob(keys: ServerKeys, purpose: SealingPurpose, data: unknown): Promise<unknown> {
  const { id, key_id, sealed } = SealedJob.parse(data);
  const { key } = await keys.named(key_id);
  return JSON.parse(unseal(key, placeOf(purpose, id), Buffer.from(sealed, 'base64') as Sealed).toString());
}

const placeOf = (purpose: SealingPurpose, id: string): SealedPlace => ['pgboss.job', purpose, id];
