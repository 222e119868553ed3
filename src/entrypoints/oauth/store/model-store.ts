import type { Adapter, AdapterPayload } from 'oidc-provider';

/** One model's storage; a write that is not implemented here is refused, so that a feature enabled without a table fails visibly. */
export type ModelStore = Partial<
  Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'findByUserCode' | 'consume' | 'destroy'>
>;

export type Payload = AdapterPayload & Record<string, unknown>;
