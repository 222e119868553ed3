/** Problems with a form: field name → one sentence. The name `form` is for what concerns no single field. */
export type FieldErrors = Readonly<Record<string, string>>;

/** One value, and how it is shown. */
export type Cell =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'copy'; text: string }
  | { kind: 'link'; text: string; href: string; code?: string | undefined }
  | { kind: 'action'; text: string; href: string; about: string }
  | { kind: 'mark'; text: string; tone: 'good' | 'bad' | 'quiet' }
  | { kind: 'time'; at: Date }
  | { kind: 'codes'; codes: readonly string[]; at?: string };

export type Fact = { label: string; cell: Cell };

export type Table = {
  heading: string;
  intro?: string | undefined;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** What is said, and done next, when there is none. */
  empty: string;
  actions: readonly ActionLink[];
  /** Where the next page of it is. */
  next?: string | undefined;
};

/** `words` says what it does before one goes there. */
export type ActionLink = { label: string; href: string; danger: boolean; words: string };

export type Filter = {
  name: string;
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
};

export type ListPage = {
  heading: string;
  intro: string;
  path: string;
  search: { label: string; value: string } | undefined;
  filters: readonly Filter[];
  sorts: readonly { text: string; href: string; is_current: boolean }[];
  sort: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  next: string | undefined;
  /** Back to the first page; absent on it. */
  first: string | undefined;
  /** Without any filter. */
  all: string;
  is_filtered: boolean;
  empty: string;
  problem: string | undefined;
  notice: string | undefined;
  actions: readonly ActionLink[];
};

export type DetailPage = {
  crumb: { text: string; href: string };
  /** The question, with the name in it set apart. */
  heading: string;
  name: string;
  facts: readonly Fact[];
  tables: readonly Table[];
  actions: readonly ActionLink[];
  notice: string | undefined;
};

export type Field = {
  name: string;
  label: string;
  /** `choices` are ticked, any number of them; its value has one a line. */
  type: 'text' | 'number' | 'datetime-local' | 'password' | 'textarea' | 'select' | 'choices';
  value: string;
  hint?: string | undefined;
  is_required?: boolean;
  options?: readonly Option[];
};

/** `note` and `is_risky` are shown of what can be ticked. */
export type Option = { value: string; text: string; note?: string; is_risky?: boolean };

export type Impact = { text: string; words: string };

/** Sends the fields with `csrf`, `version`, and `password_again` when that is asked. */
export type ActionPage = {
  csrf: string;
  action: string;
  crumb: { text: string; href: string };
  heading: string;
  name: string;
  words: readonly string[];
  impact: readonly Impact[];
  fields: readonly Field[];
  errors: FieldErrors;
  button: string;
  danger: boolean;
  back: string;
  version: number | undefined;
  /** What it is now, when somebody else changed it meanwhile. */
  present: readonly Fact[];
  /** Whose password is asked for; undefined: none is. */
  password_of: string | undefined;
};

/** A secret, this once. */
export type MadePage = {
  crumb: { text: string; href: string };
  heading: string;
  name: string;
  secret: string;
  words: readonly string[];
  /** What to paste where. */
  pastes: readonly { title: string; text: string }[];
};
