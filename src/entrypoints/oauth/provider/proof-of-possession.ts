import type { Configuration } from 'oidc-provider';
import type { ServerKeys } from '../../../platform/keys/index.ts';

type DPoP = NonNullable<NonNullable<Configuration['features']>['dPoP']>;

/**
 * DPoP (RFC 9449). A proof must be fresh by its time, or contain a nonce of ours, which every node derives from the same secret; each `jti`
 * is accepted once (`useEachJtiOnce`).
 */
export function proofOfPossession({ keys }: { keys: ServerKeys }): DPoP {
  return {
    enabled: true,
    nonceSecret: keys.current('dpop-nonce').key.export(),
    requireNonce: () => false,
    allowReplay: false,
  };
}
