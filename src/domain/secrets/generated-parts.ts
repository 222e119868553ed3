import { z } from 'zod';
import { ShownText } from '../../platform/http/index.ts';

const keyAlgorithms = ['ed25519', 'ec_p256', 'rsa_3072'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

const DnsName = z
  .string()
  .max(253)
  .regex(
    /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be a DNS name in lower case',
  );

/** A part of a value that Latchkey generates. */
const GeneratedPart = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('password'),
    length: z.int().min(16).max(128).default(32),
    symbols: z.boolean().default(false).meta({ description: 'true: also characters such as "!" and "+"' }),
  }),
  z.strictObject({
    kind: z.literal('random'),
    bytes: z.int().min(16).max(1024).default(32),
    encoding: z.enum(['base64url', 'base64', 'hex']).default('base64url'),
  }),
  z.strictObject({
    kind: z.literal('key_pair'),
    algorithm: z.enum(keyAlgorithms).default('ed25519'),
  }),
  z.strictObject({
    kind: z.literal('certificate'),
    common_name: ShownText(64),
    dns_names: z.array(DnsName).max(20).default([]),
    days: z.int().min(1).max(825).default(365),
    algorithm: z.enum(['ec_p256', 'rsa_3072']).default('ec_p256'),
  }),
]);
export type GeneratedPart = z.output<typeof GeneratedPart>;

/** The name of a generated part: it can be the name of a variable. */
export const PartName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'must be the name of a part, such as password');
const most = 5;

export const GeneratedParts = z
  .record(PartName, GeneratedPart)
  .refine((parts) => Object.keys(parts).length <= most, `must have at most ${most} parts`)
  .meta({
    description:
      'parts that are generated here and not shown: password, random, key_pair (the parts private_key and public_key) and certificate (private_key and certificate, self-signed)',
    examples: [{ password: { kind: 'password', length: 32 } }],
  });
