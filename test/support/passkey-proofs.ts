import { createHash, createPrivateKey, sign } from 'node:crypto';

/** A passkey as Chromium's virtual authenticator shows it, with its private key in PKCS #8. All but the relying party are base64. */
export type KnownPasskey = { credentialId: string; privateKey: string; rpId?: string; userHandle?: string };

/** What a browser and an authenticator say in a proof (WebAuthn Level 3 §6.1, §5.8.1). */
export type Said = { origin: string; rpId: string; type?: string; isVerified?: boolean; count: number };

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest();
const base64url = (content: Buffer | string) => Buffer.from(content).toString('base64url');

/** A proof of a passkey, signed with its key whatever it says. */
export function proofOf(
  { credentialId, privateKey, userHandle = '' }: KnownPasskey,
  challenge: string,
  { origin, rpId, type = 'webauthn.get', isVerified = true, count }: Said,
): string {
  const clientData = JSON.stringify({ type, challenge, origin, crossOrigin: false });
  const authenticatorData = Buffer.concat([sha256(rpId), Buffer.from([isVerified ? 0x05 : 0x01, 0, 0, 0, count])]);
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  // An Ed25519 signature has a digest of its own.
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(algorithm, Buffer.concat([authenticatorData, sha256(clientData)]), key);
  const id = base64url(Buffer.from(credentialId, 'base64'));
  return JSON.stringify({
    ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
    response: {
      clientDataJSON: base64url(clientData),
      authenticatorData: base64url(authenticatorData),
      signature: base64url(signature),
      userHandle: base64url(Buffer.from(userHandle, 'base64')),
    },
  });
}
