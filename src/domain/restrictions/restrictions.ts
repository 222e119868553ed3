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

/** The refusal for each code of a restriction. Kinds that share a code share its refusal. */
export const refusals = Object.fromEntries(
  [...Object.values(kinds).map(({ refusal }) => refusal), unknownRefusal].map((refusal) => [refusal.code, refusal]),
) as Readonly<Record<RefusalCode, Refusal<RefusalCode>>>;

/** Every code, in the order in which restrictions are checked. */
export const refusalCodes = Object.keys(refusals) as RefusalCode[];

/** A limit, with the code of a request that exceeds it. */
export type CodedLimit = Limit & { code: RefusalCode };

/** Compiled checks and limits of a key. */
export type CompiledRestrictions = {
  checks: ((request: KeyRequest, now: Date) => { code: RefusalCode; reason: string } | undefined)[];
  limits: CodedLimit[];
};

/** Prepares restrictions for the requests to come. */
export function compileRestrictions(written: Restrictions): CompiledRestrictions {
  const compiled = writtenKinds(written).map(({ kind, value }) => ({
    // Each is the refusal of one of the kinds.
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
 * The first kind in which other restrictions are less strict than these; undefined: there is none. Rates and quotas are compared as
 * they are configured, because each credential has its own counters.
 */
export function looserKind(written: Restrictions, other: Restrictions): KindName | undefined {
  // First the kinds that do more than remove rights.
  const ordered = [...conditionsIn(written), ...kindNames.filter((name) => (kinds[name] as Restriction).narrow)];
  return ordered.find((name) => {
    if (written[name] === undefined) return false;
    return other[name] === undefined || !(kinds[name] as Restriction).contains(written[name], other[name]);
  });
}

/** The part of a right that restrictions leave. */
export function narrowed(right: Right, written: Restrictions): Right[] {
  const narrowing = writtenKinds(written).flatMap(({ kind: { narrow }, value }) => (narrow ? [{ narrow, value }] : []));
  return narrowing.reduce((rights, { narrow, value }) => rights.flatMap((one) => narrow(value, one)), [right]);
}

/** The kinds that do more than remove rights: a credential that cannot carry them would be less restricted. */
export function conditionsIn(written: Restrictions): KindName[] {
  return kindNames.filter((name) => written[name] !== undefined && !(kinds[name] as Restriction).narrow);
}
