import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopback, isPublicAddress } from './addresses.ts';

export type AddressGuard = {
  /** The address that is connected to is the one that was judged, however the name resolves a moment later. */
  lookup: LookupFunction;
  /** An address in place of a name is connected to without a lookup. @throws TypeError */
  mustBeAllowed: (hostname: string) => void;
};

/** Allows public addresses only. `allowLoopback` is for development, where apps run on the same machine. */
export function addressGuard({ allowLoopback }: { allowLoopback: boolean }): AddressGuard {
  const isRefused = (address: string) => !isPublicAddress(address) && !(allowLoopback && isLoopback(address));
  return {
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '', 0);
        const [first] = addresses;
        if (!first || addresses.some(({ address }) => isRefused(address))) return callback(notPublic(hostname), '', 0);
        return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
      });
    },
    mustBeAllowed: (hostname) => {
      const name = hostname.replace(/^\[|\]$/g, '');
      if (isIP(name) && isRefused(name)) throw notPublic(hostname);
    },
  };
}

function notPublic(hostname: string): TypeError {
  return new TypeError(`${hostname} is not a public address`);
}
