import type { Restriction } from './restriction.ts';

const inWords = (name: string) => ({
  en: () => `the restriction "${name}", which this version of Latchkey does not know: every request is refused`,
  de: () => `die Einschränkung „${name}“, die diese Version von Latchkey nicht kennt: Jede Anfrage wird abgelehnt`,
});

/** The refusal of a kind that this version does not know. */
export const unknownRefusal = { code: 'restriction_unknown', status: 403 } as const;

/**
 * A kind that a newer version wrote during an upgrade: it refuses every request and leaves no right, because its meaning is not known
 * here.
 */
export function unknownKind(name: string): Pick<Restriction, 'refusal' | 'compile' | 'explain' | 'narrow'> {
  const reason = `This node does not know the restriction "${name}" of this key: update Latchkey.`;
  return {
    refusal: unknownRefusal,
    compile: () => ({ check: () => reason }),
    explain: inWords(name),
    narrow: () => [],
  };
}
