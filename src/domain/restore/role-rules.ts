import { takeMappedRole, unassignRole } from '../access/index.ts';
import { decide, nothing, type Rule, verb } from './consequence.ts';
import { idOf, text } from './later-event.ts';

/** Roles by claims are applied when the user next signs in with the identity provider. */
export const assigning: Rule = (event) =>
  event.details.trust_id === undefined
    ? decide('no longer has this role: assign it again if needed')(event)
    : nothing(event);

export const unassigning: Rule = (event) => {
  const { role: named, trust_id, trust: trustName } = event.details;
  const role = text(named);
  if (trust_id !== undefined) {
    const trust = { id: text(trust_id), name: text(trustName) };
    return verb(`role "${role}" unassigned`, (deps, actor) =>
      takeMappedRole(deps, actor, { user_id: idOf(event), role, trust }),
    );
  }
  const kind = event.target_kind === 'client' ? 'client' : 'user';
  return verb(`role "${role}" unassigned`, (deps, actor) =>
    unassignRole(deps, actor, { subject: { kind, id: idOf(event) }, role }),
  );
};
