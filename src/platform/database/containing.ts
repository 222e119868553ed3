/** The `like` pattern of whatever contains a text: what people search for is no pattern itself. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
