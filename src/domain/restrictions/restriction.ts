import type { z } from 'zod';
import type { Language } from '../../platform/languages/index.ts';
import type { Right } from '../access/index.ts';

/** A request to verify a key. A restriction refuses a request that lacks a value that it needs. */
export type KeyRequest = {
  /** Every permission that the request is about, whether all or any of them are needed. */
  permissions: readonly string[];
  resource: string | undefined;
  ip: string | undefined;
  origin: string | undefined;
  /** How much of a limit the request takes. */
  cost: number;
  parameters: Readonly<Record<string, string | readonly string[]>>;
};

/** How a restriction refuses. */
export type Refusal<Code extends string = string> = {
  code: Code;
  /** 403: not this; 429: not now (RFC 6585 §4). */
  status: 403 | 429;
  /** The token endpoint's answer to a key that is to be exchanged (RFC 8693 §2.2.2); without it: `invalid_request`. */
  tokenError?: { error: string; description?: string };
};

/** How much may be done in a period: a rate refills all the time, a quota at the turn of the day or month (UTC). */
export type Limit = {
  kind: 'rate' | 'quota';
  /** As it was written, e.g. `1000 requests/minute`. */
  name: string;
  amount: number;
  per: 'second' | 'minute' | 'hour' | 'day' | 'month';
  appliesTo: (request: KeyRequest) => boolean;
};

export type Compiled = {
  /** The reason for which a request is refused. */
  check?: (request: KeyRequest, now: Date) => string | undefined;
  limits?: readonly Limit[];
};

/** A text in every language. The API speaks English. */
export type Wording = Readonly<Record<Language, string>>;

/** A field in which a restriction is written: data from which a page makes its input. */
export type FormField = {
  /** Unique among all kinds. A refusal is shown beside the field whose name its pointer has. */
  name: string;
  label: Wording;
  hint: Wording;
  /** Of `lines`, `choices` and `apis` any number of values: typed, selected of `options`, selected of the APIs. */
  input: 'text' | 'number' | 'lines' | 'choices' | 'apis';
  options?: readonly { value: string; text: Wording }[];
  /** The hint where APIs cannot be selected and are typed. */
  typedHint?: Wording;
  /** What is said beside it when the API refuses it, in other languages than the API's own. */
  refused: Omit<Wording, 'en'>;
};

export type Form<Written> = {
  /** Its place among the forms of all kinds. */
  position: number;
  fields: readonly FormField[];
  /** What the fields show, by name. */
  show: (written: Written) => Readonly<Record<string, readonly string[]>>;
  /** What is written in the fields, unchecked; undefined: nothing. */
  read: (sent: (field: string) => readonly string[]) => unknown;
  /** How a summary says it; without one: as `explain` does, under "Restrictions". */
  summary?: { label: Wording; none?: Wording; say?: (written: Written, language: Language) => string[] };
};

type Typed<Schema extends z.ZodType, Code extends string> = {
  schema: Schema;
  refusal: Refusal<Code>;
  form: Form<z.output<Schema>>;
  compile: (written: z.output<Schema>) => Compiled;
  explain: Readonly<Record<Language, (written: z.output<Schema>) => string>>;
  contains: (written: z.output<Schema>, other: z.output<Schema>) => boolean;
  narrow?: (written: z.output<Schema>, right: Right) => Right[];
};

/** One kind of restriction: what is written in a key, what it does, how it refuses, and how it reads. */
export type Restriction = {
  schema: z.ZodType;
  refusal: Refusal;
  form: Form<unknown>;
  /** Done once when a node learns of a key, so that a request costs little. */
  compile: (written: unknown) => Compiled;
  /** In words for a person. */
  explain: Readonly<Record<Language, (written: unknown) => string>>;
  /** Whether a credential with the other one is restricted at least as much; never wrongly true. */
  contains: (written: unknown, other: unknown) => boolean;
  /** What is left of a right; for a kind that is nothing else than fewer rights. */
  narrow?: (written: unknown, right: Right) => Right[];
};

/** How a summary names limits of all kinds. */
export const atMost = {
  label: { en: 'At most', de: 'Höchstens' },
  none: { en: 'No limit', de: 'Keine Begrenzung' },
} as const;

/** Lets a kind speak of what its own schema has parsed. */
export function restriction<Schema extends z.ZodType, const Code extends string>(
  kind: Typed<Schema, Code>,
): Restriction & { schema: Schema; refusal: Refusal<Code> } {
  // What is stored was parsed by this very schema when it was written.
  return kind as unknown as Restriction & { schema: Schema; refusal: Refusal<Code> };
}

/** The form of a kind that is a list of texts: one field, a value a line. */
export function listForm(
  field: FormField,
  { position, summary }: Pick<Form<string[]>, 'position' | 'summary'>,
): Form<string[]> {
  const { name } = field;
  return {
    position,
    fields: [field],
    show: (written) => ({ [name]: written }),
    read: (sent) => (sent(name).length > 0 ? sent(name) : undefined),
    ...(summary && { summary }),
  };
}
