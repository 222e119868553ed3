/** The submitted form. Empty fields are left out, as they are in the API. */
export type FormInput = {
  /** Whether the field was sent, also empty. Browsers send nothing for choices of which none is selected. */
  has: (name: string) => boolean;
  text: (name: string) => string | undefined;
  number: (name: string) => number | undefined;
  /** The lines of a field, or all its ticked values. */
  lines: (name: string) => string[];
  version: number | undefined;
};

/** The fields of a form as they were sent. */
export function formInput(sent: URLSearchParams): FormInput {
  const text = (name: string) => (sent.get(name) ?? '').trim().replaceAll('\r\n', '\n') || undefined;
  const number = (name: string) => (text(name) === undefined ? undefined : Number(text(name)));
  const lines = (name: string) => sent.getAll(name).flatMap(linesIn);
  return { has: (name) => sent.has(name), text, number, lines, version: number('version') };
}

/** The lines of a text that are not empty. */
export function linesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
