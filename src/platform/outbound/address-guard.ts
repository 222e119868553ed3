import { isIP, type LookupFunction } from 'node:net';
import { isLoopback, isPublicAddress } from './addresses.ts';
import { type LookUpBounds, lookUp, type Resolved } from './look-up.ts';

export type AddressGuard = {
  /** The address that is connected to is the one that was checked, however the name resolves a moment later. */
  lookup: LookupFunction;
  /** An IP address in place of a name is used without a lookup. @throws TypeError */
  mustBeAllowed: (hostname: string) => void;
};

/** Allows public addresses only. `allowLoopback` is for development, where clients run on the same machine. */
export function addressGuard({ allowLoopback, ...bounds }: { allowLoopback: boolean } & LookUpBounds): AddressGuard {
  const isRefused = ({ address }: Resolved) => !isPublicAddress(address) && !(allowLoopback && isLoopback(address));
  const allowed = async (hostname: string): Promise<[Resolved, ...Resolved[]]> => {
    const [first, ...others] = await lookUp(hostname, bounds);
    if (!first || [first, ...others].some(isRefused)) throw notPublic(hostname);
    return [first, ...others];
  };
  return {
    lookup: (hostname, options, callback) => {
      allowed(hostname).then(
        (found) => (options.all ? callback(null, found) : callback(null, found[0].address, found[0].family)),
        (error: Error) => callback(error, '', 0),
      );
    },
    mustBeAllowed: (hostname) => {
      const name = hostname.replace(/^\[|\]$/g, '');
      if (isIP(name) && isRefused({ address: name, family: 0 })) throw notPublic(hostname);
    },
  };
}

function notPublic(hostname: string): TypeError {
  return new TypeError(`${hostname} is not a public address`);
}
