import type { Provider } from 'oidc-provider';
import { v7 as uuidv7 } from 'uuid';
import { deriveSuccessor, mintAccessToken, mintCode, mintRefreshToken } from '../../../domain/tokens/index.ts';
import { refreshToken } from '../token-endpoint/grants/refresh-token.ts';
import { currentUnit } from '../unit-of-work/index.ts';

type Token = { resourceServer?: { accessTokenFormat?: string }; format?: string };
type Generator = { prototype: { generateTokenId: (this: Token) => string } };

/** Gives credentials our formats (DESIGN.md §6); a rotated refresh token gets its derived successor. */
export function useOwnCredentialFormats(provider: Provider): void {
  const models = provider as unknown as Record<
    'AccessToken' | 'ClientCredentials' | 'AuthorizationCode' | 'RefreshToken' | 'Grant',
    Generator
  >;
  for (const model of [models.AccessToken, models.ClientCredentials]) {
    const original = model.prototype.generateTokenId;
    model.prototype.generateTokenId = function generateTokenId() {
      // The original also decides the format.
      const structuredId = original.call(this);
      return this.format === 'jwt' ? structuredId : mintAccessToken();
    };
  }
  models.AuthorizationCode.prototype.generateTokenId = mintCode;
  models.Grant.prototype.generateTokenId = () => uuidv7();
  models.RefreshToken.prototype.generateTokenId = nextRefreshToken;
}

function nextRefreshToken(): string {
  const { presented, source } = currentUnit();
  if (source?.kind !== refreshToken.source || !presented) return mintRefreshToken();
  // Without the key its row names there is no successor to repeat: a random one, and no grace for its retries.
  return presented.key ? deriveSuccessor(presented.value, presented.key) : mintRefreshToken();
}
