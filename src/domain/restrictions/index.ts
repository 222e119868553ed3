/** Restrictions: limits of a key beyond its permissions. One file a kind; `kinds.ts` lists them. */
export { formsOf, type RestrictionField, readForms, refusalBeside, summariesOf } from './forms.ts';
export type { KeyRequest, Limit, Refusal, Wording } from './restriction.ts';
export {
  type CodedLimit,
  compileRestrictions,
  conditionsIn,
  explainRestrictions,
  looserKind,
  narrowed,
  type RefusalCode,
  Restrictions,
  refusalCodes,
  refusals,
} from './restrictions.ts';
