import { ClientInput } from '../../../src/domain/clients/index.ts';
import { longestTokenSeconds } from '../../../src/domain/signing-keys/index.ts';

const takes = (lifetimes: object) => ClientInput.safeParse({ client_id: 'shop', lifetimes }).success;

describe('the lifetimes of one client', () => {
  test('never let an access token outlive the key that signed it', () => {
    expect(takes({ access_token: longestTokenSeconds })).toBe(true);
    expect(takes({ access_token: longestTokenSeconds + 1 })).toBe(false);
  });

  test('stay within the bounds of the settings of the installation', () => {
    expect(takes({ refresh_token_idle: 366 * 86_400, refresh_token_absolute: 1830 * 86_400 })).toBe(true);
    expect(takes({ refresh_token_idle: 366 * 86_400 + 1 })).toBe(false);
    expect(takes({ refresh_token_absolute: 1830 * 86_400 + 1 })).toBe(false);
  });
});
