import type { z } from 'zod';
import type { Language } from '../../platform/languages/index.ts';
import type { Right } from '../access/index.ts';

/** A request to verify a key. A restriction refuses a request without a value that it needs. */
export type KeyRequest = {
  /** Every permission in the request, whether all or any of them are needed. */
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
  /** The error of the token endpoint when the key is exchanged (RFC 8693 §2.2.2); default: `invalid_request`. */
  tokenError?: { error: string; description?: string };
};

/** An amount in a period: a rate refills continuously, a quota at the start of the day or month (UTC). */
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

/** A form field for a restriction, as data from which a page renders its input. */
export type FormField = {
  /** Unique among all kinds. A refusal is shown next to the field that its pointer names. */
  name: string;
  label: Wording;
  hint: Wording;
  /** `lines`, `choices` and `apis` take any number of values: typed, selected from `options`, selected from the APIs. */
  input: 'text' | 'number' | 'lines' | 'choices' | 'apis';
  options?: readonly { value: string; text: Wording }[];
  /** The hint if APIs must be typed because they cannot be selected. */
  typedHint?: Wording;
  /** The message next to it if the API refuses it, in languages other than English. */
  refused: Omit<Wording, 'en'>;
};

export type Form<Written> = {
  /** Its place among the forms of all kinds. */
  position: number;
  fields: readonly FormField[];
  /** What the fields show, by name. */
  show: (written: Written) => Readonly<Record<string, readonly string[]>>;
  /** The value of the fields, unchecked; undefined: none. */
  read: (sent: (field: string) => readonly string[]) => unknown;
  /** Its words in a summary; default: those of `explain`, under "Restrictions". */
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

/** One kind of restriction: its schema, form, checks, refusal and description. */
export type Restriction = {
  schema: z.ZodType;
  refusal: Refusal;
  form: Form<unknown>;
  /** Runs once when a node loads a key, so that a request costs little. */
  compile: (written: unknown) => Compiled;
  /** A description in words. */
  explain: Readonly<Record<Language, (written: unknown) => string>>;
  /** Whether a credential with the other one is restricted at least as much; never wrongly true. */
  contains: (written: unknown, other: unknown) => boolean;
  /** The remainder of a right; only for a kind that does nothing but remove rights. */
  narrow?: (written: unknown, right: Right) => Right[];
};

/** How a summary names limits of all kinds. */
export const atMost = {
  label: { en: 'At most', de: 'Höchstens' },
  none: { en: 'No limit', de: 'Keine Begrenzung' },
} as const;

/** Types the functions of a kind with the output of its schema. */
export function restriction<Schema extends z.ZodType, const Code extends string>(
  kind: Typed<Schema, Code>,
): Restriction & { schema: Schema; refusal: Refusal<Code> } {
  // Stored values were parsed by this schema when they were written.
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
