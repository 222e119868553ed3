import { identityScopes } from '../scopes/requested-scopes.ts';

type Wording = readonly [said: RegExp, words: string];

const wordings: readonly Wording[] = [
  [/^(\w+) is mandatory property$/, '$1 is required'],
  [/^(\w+) is mandatory property when (\w+) is provided$/, '$1 is required with $2'],
  [/^(\w+) must contain members$/, '$1 must not be empty'],
  [/^(\w+) must only contain strings$/, '$1 must be a list of strings'],
  [/^(\w+) must be an array$/, '$1 must be a list'],
  [/^(\w+) must be a boolean$/, '$1 must be true or false'],
  [/^(\w+) must be a non-negative integer$/, '$1 must be a whole number, 0 or more'],
  [/^(\w+) must not contain fragments$/, '$1 must not contain "#"'],
  [/^(\w+) must only contain valid uris$/, '$1 must be addresses, such as https://app.example/callback'],
  [
    /^(\w+) must only contain web uris$/,
    '$1 of a web client must begin with https:// (http:// on loopback addresses); other schemes need the application_type native',
  ],
  [
    /^(\w+) for native clients using http .*$/,
    '$1 of a native client may begin with http:// on loopback addresses only (127.0.0.1, [::1], localhost)',
  ],
  [
    /^(\w+) for native clients using claimed HTTPS .*$/,
    '$1 of a native client on a loopback address must begin with http://',
  ],
  [/^(\w+) must not use the (\S+) URI scheme$/, '$1 must not begin with $2:'],
  [/^(\w+) must be a web uri$/, '$1 must be an address that begins with https://'],
  [/^(\w+) must only contain https uris$/, '$1 must begin with https://'],
  [/^(\w+) must be an? https uri$/, '$1 must begin with https://'],
  [/^(\w+) must be a non-empty string if provided$/, '$1 must not be empty'],
  [/^contacts can only contain email addresses$/, 'contacts must be e-mail addresses'],
  [/^(\w+) can only contain (.+)$/, '$1 can contain $2 only'],
  [/^(\w+) includes no supported values$/, '$1 contains no value that this server supports'],
  [/^(\w+) has no values supported by this authorization server$/, '$1 is not supported by this server'],
  [/^(\w+) must (?:be empty|not be provided) \(no values are allowed\)$/, '$1 is not supported by this server'],
  [/^jwks and jwks_uri must not be used at the same time$/, 'jwks and jwks_uri must not both be set'],
  [
    /^jwks or jwks_uri is mandatory for this client$/,
    'jwks or jwks_uri is required: the client authenticates with a key',
  ],
  [
    /^scope must only contain Authorization Server supported scope values$/,
    `scope can contain ${identityScopes.join(', ')} only; what it may do at APIs belongs in resources`,
  ],
];

/** What the library says is wrong with a registration, in plain words, the member first where it comes first. */
export function metadataWords(description: string): string {
  const found = wordings.find(([said]) => said.test(description));
  return found ? description.replace(found[0], found[1]) : description;
}
