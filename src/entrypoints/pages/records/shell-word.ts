/** A text quoted as one word of a POSIX shell: pasted into a terminal, nothing in it is executed. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
