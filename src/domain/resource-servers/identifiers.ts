const hierarchical = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)(.*)$/is;

/**
 * What spellings of one identifier have in common: scheme and host are compared without case (RFC 3986 §6.2.2.1), and one slash at
 * the end makes no difference. As the column `comparable_identifier` says it; identifiers that name no host are compared exactly.
 */
export function comparableIdentifier(identifier: string): string {
  const [, origin, rest = ''] = hierarchical.exec(identifier) ?? [];
  if (origin === undefined) return identifier;
  // ASCII alone, as the column does it.
  return origin.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) + rest.replace(/\/$/, '');
}
