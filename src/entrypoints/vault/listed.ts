import { answerWith, notThere, type VaultAnswer } from './answers.ts';
import { numberIn } from './fields.ts';
import type { VaultRequest } from './vault-request.ts';

/**
 * The names in a folder; with the parameters of OpenBao at most `limit` of those after `after`.
 *
 * @throws VaultError 404: there are none
 */
export function listed({ query, request_id }: VaultRequest, names: readonly string[]): VaultAnswer {
  const after = query.get('after') ?? '';
  const limit = numberIn({ limit: query.get('limit') }, 'limit') ?? 0;
  const later = after === '' ? names : names.filter((name) => name > after);
  const keys = limit > 0 ? later.slice(0, limit) : later;
  if (keys.length === 0) throw notThere();
  return answerWith(request_id, { data: { keys } });
}
