/** A cookie of the pages, with the prefix that restricts who may set it. */
export type OwnCookie = {
  name: string;
  options: { signed: true; httpOnly: true; sameSite: 'lax'; secure: boolean; path: '/' };
};

/** Over https `__Host-` keeps other hosts of the domain from setting one (RFC 6265bis §4.1.3.2). */
export function ownCookie(name: string, issuer: string): OwnCookie {
  const secure = issuer.startsWith('https:');
  const options = { signed: true, httpOnly: true, sameSite: 'lax', secure, path: '/' } as const;
  return { name: secure ? `__Host-${name}` : name, options };
}
