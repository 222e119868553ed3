import type { Client, Provider } from 'oidc-provider';
import { isSecretMethod } from '../../../domain/clients/index.ts';
import {
  basicCredentials,
  findKnownSecret,
  type PresentedSecret,
  type SecretDeps,
} from '../provider/client-authentication.ts';
import { type ClientRecord, findClientRecord } from '../store/index.ts';
import type { PlainRequest } from './plain-request.ts';

/** An authenticated client. */
export type PlainClient = {
  client: Client;
  /** Undefined: it is public, and only identified. */
  secret: PresentedSecret | undefined;
};

/** The client credentials in a form. */
type Named = Partial<Record<'client_id' | 'client_secret', string | undefined>>;

/** The clients of a provider, built from their records once. */
export class PlainClients {
  readonly #deps: SecretDeps;
  readonly #built = new WeakMap<ClientRecord, { provider: Provider; client: Client | undefined }>();

  constructor(deps: SecretDeps) {
    this.#deps = deps;
  }

  /**
   * The client that authenticated by its secret in one of two places, or that is public and named itself (RFC 6749 §2.3, §3.2.1).
   * Undefined: it used another method, or none; nothing was counted.
   */
  async authenticate(provider: Provider, { req }: PlainRequest, named: Named): Promise<PlainClient | undefined> {
    const claimed = claimedBy(req.headers.authorization, named);
    // A metadata document may have to be fetched, which is not done twice.
    if (!claimed || this.#deps.documents.isAddress(claimed.client_id)) return undefined;
    const record = await findClientRecord(this.#deps, claimed.client_id);
    const client = record && (await this.#build(provider, record));
    if (!client || client.dpopBoundAccessTokens || client.tlsClientCertificateBoundAccessTokens) return undefined;
    const { secret: presented } = claimed;
    if (presented === undefined) return client.clientAuthMethod === 'none' ? { client, secret: undefined } : undefined;
    if (!isSecretMethod(client.clientAuthMethod)) return undefined;
    const secret = findKnownSecret(this.#deps, record, { presented, address: req.origin?.address ?? '' });
    return secret && { client, secret };
  }

  async #build(provider: Provider, record: ClientRecord): Promise<Client | undefined> {
    const built = this.#built.get(record);
    if (built?.provider === provider) return built.client;
    const client = await provider.Client.find(record.client_id);
    this.#built.set(record, { provider, client });
    return client;
  }
}

/** Undefined: nothing identifies the client, or more than one thing does. */
function claimedBy(
  authorization: string | undefined,
  { client_id, client_secret }: Named,
): { client_id: string; secret: string | undefined } | undefined {
  if (authorization === undefined) return client_id === undefined ? undefined : { client_id, secret: client_secret };
  const sent = client_secret === undefined && isCanonical(authorization) ? basicCredentials(authorization) : undefined;
  const isOne = client_id === undefined || client_id === sent?.client_id;
  return isOne && sent && printable.test(sent.client_id + sent.secret) ? sent : undefined;
}

const printable = /^[\x20-\x7e]+$/;

/** Whether HTTP Basic is in the usual form, in printable ASCII, which cannot be ambiguous. */
function isCanonical(authorization: string): boolean {
  const encoded = authorization.slice('Basic '.length);
  const sent = Buffer.from(encoded, 'base64');
  return sent.toString('base64') === encoded && printable.test(sent.toString('latin1'));
}
