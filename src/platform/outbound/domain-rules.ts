/** Allowed and refused domains, each with its subdomains. An empty list of allowed ones means all that are not refused. */
export type DomainRules = { allowed: readonly string[]; refused: readonly string[] };

const domainShape = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Reads domains separated by commas; one after `!` is refused. @returns undefined: one of them is no domain */
export function parseDomainRules(text: string): DomainRules | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  const names = entries.map((entry) => entry.replace(/^!/, ''));
  if (entries.length === 0 || !names.every((name) => domainShape.test(name))) return undefined;
  return {
    allowed: entries.filter((entry) => !entry.startsWith('!')),
    refused: entries.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1)),
  };
}

/** Whether a host, as `URL` writes it, is allowed. */
export function isAllowedDomain({ allowed, refused }: DomainRules, hostname: string): boolean {
  // A name with a trailing dot is the same host.
  const name = hostname.replace(/\.$/, '');
  const isWithin = (domain: string) => name === domain || name.endsWith(`.${domain}`);
  return !refused.some(isWithin) && (allowed.length === 0 || allowed.some(isWithin));
}
