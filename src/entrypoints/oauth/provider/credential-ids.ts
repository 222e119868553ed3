import type { Provider } from 'oidc-provider';
import { v7 as uuidv7 } from 'uuid';
import { generateAccessToken, generateCode, generateRefreshToken } from '../../../domain/tokens/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { hiddenModels } from './library-seams.ts';

/** Gives credentials our formats (DESIGN.md §6); a rotated refresh token gets its derived successor. */
export function useOwnCredentialFormats(provider: Provider): void {
  const models = hiddenModels(provider);
  for (const model of [models.AccessToken, models.ClientCredentials]) {
    const original = model.prototype.generateTokenId;
    model.prototype.generateTokenId = function generateTokenId() {
      // The original also decides the format.
      const structuredId = original.call(this);
      return this.format === 'jwt' ? structuredId : generateAccessToken();
    };
  }
  models.AuthorizationCode.prototype.generateTokenId = generateCode;
  models.Grant.prototype.generateTokenId = () => uuidv7();
  models.RefreshToken.prototype.generateTokenId = nextRefreshToken;
}

/** Without a derivable successor, a random one: its retry has no grace. */
function nextRefreshToken(): string {
  return currentUnit().deriveSuccessor?.() ?? generateRefreshToken();
}
