/**
 * Which of two matching paths of policies Vault uses: the one whose first wildcard comes later, which does not end with `*`, has
 * fewer `+`, is longer, or comes later in the alphabet. @returns negative: the first one
 */
export function bySpecificity(one: string, other: string): number {
  const [a, b] = [traitsOf(one), traitsOf(other)];
  const decided = a.map((value, n) => (b[n] ?? 0) - value).find((difference) => difference !== 0);
  return decided ?? (one > other ? -1 : 1);
}

function traitsOf(path: string): number[] {
  const first = path.search(/[+*]/);
  const pluses = path.split('/').filter((segment) => segment === '+').length;
  return [first < 0 ? Number.MAX_SAFE_INTEGER : first, path.endsWith('*') ? 0 : 1, -pluses, path.length];
}
