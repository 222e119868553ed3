/** The `like` pattern for values that contain a text. The text itself is not a pattern. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
