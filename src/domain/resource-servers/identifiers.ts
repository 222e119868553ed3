const hierarchical = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)(.*)$/is;

/**
 * The normal form of an identifier: scheme and host are compared without case (RFC 3986 §6.2.2.1), and one trailing slash makes no
 * difference. The column `comparable_identifier` is computed in the same way; identifiers without a host are compared exactly.
 */
export function comparableIdentifier(identifier: string): string {
  const [, origin, rest = ''] = hierarchical.exec(identifier) ?? [];
  if (origin === undefined) return identifier;
  // ASCII only, like the column.
  return origin.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) + rest.replace(/\/$/, '');
}
