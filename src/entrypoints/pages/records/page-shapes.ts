import type { BarChart, Timeline } from '../charts/index.ts';

/** Problems with a form: field name → one sentence. The name `form` is for problems of no single field. */
export type FieldErrors = Readonly<Record<string, string>>;

/** One value, and its style. */
export type Cell =
  | { kind: 'text'; text: string; before?: string }
  | { kind: 'code'; text: string; note?: string | undefined }
  | { kind: 'copy'; text: string }
  /** Below it, an id or a note. */
  | {
      kind: 'link';
      text: string;
      href: string;
      code?: string | undefined;
      note?: string | undefined;
      before?: string;
    }
  | { kind: 'action'; text: string; href: string; about: string }
  | { kind: 'mark'; text: string; tone: Tone; note?: string | undefined }
  | { kind: 'time'; at: Date; before?: string }
  | { kind: 'codes'; codes: readonly string[] }
  | { kind: 'number'; value: number }
  | { kind: 'menu'; about: string; actions: readonly ActionLink[] };

/** The colour of a badge: active, expiring soon, failed or revoked, scheduled, off. Its text says the same. */
export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

export type Fact = { label: string; cell: Cell };

/** A column of a table. With `sort`, its header sorts by that key of the list's route. */
export type Column = { label: string; is_number?: boolean; sort?: string };

export type TableColumn = { label: string; is_number: boolean; sort: SortLink | undefined };

type SortLink = { href: string; direction: 'ascending' | 'descending' | undefined };

/** With `isPlain`, it creates nothing, and is not the main action of a list; with `isMain`, it is that of a record. */
export type ActionLink = { label: string; href: string; danger: boolean; isPlain?: true; isMain?: true };

export type Filter = {
  name: string;
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  /** Without options: how it is typed, and an example. */
  type?: 'datetime-local';
  example?: string;
};

/** The message of an empty list, with the next step. */
export type Empty = { heading: string; words: string };

export type ListPage = {
  heading: string;
  intro: string;
  icon: string;
  path: string;
  search: { label: string; hint: string; value: string } | undefined;
  filters: readonly Filter[];
  /** The filters in use, each with the address without it. */
  tags: readonly { text: string; href: string }[];
  sort: string;
  columns: readonly TableColumn[];
  rows: readonly (readonly Cell[])[];
  /** The total, in words; undefined if it is not counted. */
  total: string | undefined;
  /** How far records were searched for this page, if the next page continues. */
  searched: string | undefined;
  next: string | undefined;
  previous: string | undefined;
  /** Without any filter. */
  all: string;
  empty: Empty;
  problem: string | undefined;
  notice: string | undefined;
  actions: readonly ActionLink[];
  chart?: ListChart | undefined;
};

/** A chart above a list, with its caption. */
export type ListChart = { chart: BarChart; note: string };

/** A part of a record's page, under a heading. */
export type Panel = {
  heading: string;
  intro?: string | undefined;
  link?: { text: string; href: string } | undefined;
  /** Other selections of the same content. */
  choices?: readonly Tab[];
  content: PanelContent;
  actions?: readonly ActionLink[];
};

export type PanelContent =
  | { kind: 'facts'; facts: readonly Fact[] }
  | {
      kind: 'table';
      columns: readonly Column[];
      rows: readonly (readonly Cell[])[];
      /** The text if there are none. */
      empty: string;
      /** The addresses of its next and previous page, and which rows these are. */
      next?: string | undefined;
      previous?: string | undefined;
      shown?: string | undefined;
    }
  | { kind: 'events'; events: readonly EventLine[]; empty: string }
  | { kind: 'usage'; facts: readonly Fact[]; chart: BarChart }
  | { kind: 'timeline'; timeline: Timeline }
  | { kind: 'snippets'; snippets: readonly Snippet[] }
  | { kind: 'words'; words: readonly string[] };

/** An event, as one line. */
export type EventLine = { text: string; href?: string | undefined; tone: Tone; about: readonly Cell[]; at: Date };

/** Something to copy into a terminal or a program. */
export type Snippet = { label: string; text: string };

/** An action that revokes or removes something: `words` says exactly what, `button` repeats the verb and the number. */
export type DangerousAction = ActionLink & { words: string; button: string };

export type Tab = { label: string; href: string; is_current: boolean };

export type DetailPage = {
  crumb: { text: string; href: string };
  name: string;
  /** Its state. */
  badges: readonly Cell[];
  /** One line about it, under its name. */
  line: readonly Cell[];
  notice: string | undefined;
  /** What needs attention: the fact, its details, and where to see more. */
  warning?: { fact: string; words: string; link?: { text: string; href: string } } | undefined;
  /** Its actions; the first two are buttons, the others are in a menu. */
  actions: readonly ActionLink[];
  tabs: readonly Tab[];
  panels: readonly Panel[];
  /** Beside the panels. */
  aside: readonly Panel[];
  danger: readonly DangerousAction[];
};

/**
 * The ways in which a form accepts the proof of a factor: a field for a code (`has_code`: of an app, and recovery codes otherwise), and a
 * passkey with the options for the browser (JSON).
 */
export type FactorFields = { has_code: boolean; takes_code: boolean; passkey: string | undefined };

/** The required proof: the user's strongest factor, the password if there is none, or the provider if there is neither. */
export type AskedProof =
  | { kind: 'password'; username: string }
  | { kind: 'provider'; links: readonly { label: string; href: string }[] }
  | ({ kind: 'factor' } & FactorFields);

export type Field = {
  name: string;
  label: string;
  /** Of `choices` any number is selected, their values one a line; of `radios` exactly one. */
  type: 'text' | 'number' | 'datetime-local' | 'password' | 'textarea' | 'select' | 'choices' | 'radios';
  value: string;
  hint?: string | undefined;
  is_required?: boolean;
  options?: readonly Option[];
  /** Suggestions for a text field. */
  suggestions?: readonly string[];
  /** Never sent back: the typed value is not shown again. */
  is_secret?: boolean;
  /** Its heading; none: at the top. Those under `Advanced` are folded. */
  group?: string;
};

/** `note` and `is_sensitive` are shown with the choice; choices of one `group` are folded together. */
export type Option = { value: string; text: string; note?: string; is_sensitive?: boolean; group?: string };

export type Impact = { text: string; words: string };

/** Sends the fields with `csrf`, `version`, and `password_again`, or `code` or `passkey`, if required. */
export type ActionPage = {
  csrf: string;
  action: string;
  crumb: { text: string; href: string };
  heading: string;
  name: string;
  words: readonly string[];
  impact: readonly Impact[];
  /** What the impact lists; default: what is revoked. */
  impact_heading?: string | undefined;
  fields: readonly Field[];
  errors: FieldErrors;
  /** undefined: the action is not possible here, and the words say why. */
  button: string | undefined;
  danger: boolean;
  back: string;
  version: number | undefined;
  /** The present record, if someone else changed it meanwhile. */
  present: readonly Fact[];
  /** The result of the form in its present state; undefined: it has no summary. */
  summary: Summary | undefined;
  /** The required proof; undefined: there was one a short while ago. */
  proof: AskedProof | undefined;
  /** Fields that the user does not see. */
  hidden: Readonly<Record<string, string>>;
  /** The passkey that the browser makes (JSON), as the answer to the form. */
  passkey?: string | undefined;
  /** A QR code (SVG), before the fields. */
  picture?: string | undefined;
};

/** In words, what something can do once it is created. */
export type Summary = { can: readonly { text: string; code: string }[]; facts: readonly Fact[] };

/** The result of an action: a secret, shown once, or a report. */
export type MadePage = {
  crumb: { text: string; href: string };
  heading: string;
  name: string;
  secret: string | undefined;
  words: readonly string[];
  /** Parts of a stored value that was requested. */
  values?: readonly Snippet[];
  /** Code to paste. */
  snippets: readonly Snippet[];
  facts: readonly Fact[];
  /** What the facts are; undefined: a summary of what was made. */
  facts_heading?: string;
};
