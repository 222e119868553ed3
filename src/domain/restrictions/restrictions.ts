import { z } from 'zod';
import type { Language } from '../../platform/languages/index.ts';
import type { Right } from '../access/index.ts';
import { type KindName, kinds, writtenKinds } from './kinds.ts';
import type { KeyRequest, Limit, Refusal, Restriction } from './restriction.ts';
import { unknownRefusal } from './unknown-kind.ts';

const kindNames = Object.keys(kinds) as KindName[];

type Kinds = typeof kinds;
type Schemas = { [Kind in KindName]: z.ZodOptional<Kinds[Kind]['schema']> };
const schemas = Object.fromEntries(
  Object.entries(kinds).map(([name, { schema }]) => [name, schema.optional()]),
) as Schemas;

/** The restrictions of a key as they are written. */
export const Restrictions = z.strictObject(schemas);
export type Restrictions = z.output<typeof Restrictions>;

/** Why a restriction refuses. */
export type RefusalCode = Kinds[KindName]['refusal']['code'] | typeof unknownRefusal.code;

/** How each code of a restriction is answered. Kinds that share a code share its refusal. */
export const refusals = Object.fromEntries(
  [...Object.values(kinds).map(({ refusal }) => refusal), unknownRefusal].map((refusal) => [refusal.code, refusal]),
) as Readonly<Record<RefusalCode, Refusal<RefusalCode>>>;

/** Every code, in the order in which restrictions are checked. */
export const refusalCodes = Object.keys(refusals) as RefusalCode[];

/** A limit, with the code of a request that exceeds it. */
export type CodedLimit = Limit & { code: RefusalCode };

/** What is checked of every request, and what is counted. */
export type CompiledRestrictions = {
  checks: ((request: KeyRequest, now: Date) => { code: RefusalCode; reason: string } | undefined)[];
  limits: CodedLimit[];
};

/** Prepares restrictions for the requests to come. */
export function compileRestrictions(written: Restrictions): CompiledRestrictions {
  const compiled = writtenKinds(written).map(({ kind, value }) => ({
    // Each of them is the refusal of one of the kinds.
    code: kind.refusal.code as RefusalCode,
    ...kind.compile(value),
  }));
  return {
    checks: compiled.flatMap(({ code, check }) => {
      if (!check) return [];
      return (request: KeyRequest, now: Date) => {
        const reason = check(request, now);
        return reason === undefined ? undefined : { code, reason };
      };
    }),
    limits: compiled.flatMap(({ code, limits = [] }) => limits.map((limit) => ({ ...limit, code }))),
  };
}

/** Restrictions in words, one each. */
export function explainRestrictions(written: Readonly<Record<string, unknown>>, language: Language = 'en'): string[] {
  return writtenKinds(written).map(({ kind, value }) => kind.explain[language](value));
}

/**
 * The first kind of restriction by which other restrictions are not at least as strict as these; undefined: they are. What is
 * counted (rates, quotas) is compared as it is written: each credential is counted for itself.
 */
export function looserKind(written: Restrictions, other: Restrictions): KindName | undefined {
  // Those that are more than fewer rights first.
  const ordered = [...conditionsIn(written), ...kindNames.filter((name) => (kinds[name] as Restriction).narrow)];
  return ordered.find((name) => {
    if (written[name] === undefined) return false;
    return other[name] === undefined || !(kinds[name] as Restriction).contains(written[name], other[name]);
  });
}

/** What restrictions leave of a right. */
export function narrowed(right: Right, written: Restrictions): Right[] {
  const narrowing = writtenKinds(written).flatMap(({ kind: { narrow }, value }) => (narrow ? [{ narrow, value }] : []));
  return narrowing.reduce((rights, { narrow, value }) => rights.flatMap((one) => narrow(value, one)), [right]);
}

/** The kinds of restrictions that are more than fewer rights: what cannot carry them would be freer. */
export function conditionsIn(written: Restrictions): KindName[] {
  return kindNames.filter((name) => written[name] !== undefined && !(kinds[name] as Restriction).narrow);
}
