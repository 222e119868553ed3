import type { Adapter, AdapterPayload } from 'oidc-provider';

/** One model's storage; what is not written here is refused, so that a feature switched on without a table fails loudly. */
export type ModelStore = Partial<
  Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'findByUserCode' | 'consume' | 'destroy'>
>;

export type Payload = AdapterPayload & Record<string, unknown>;
