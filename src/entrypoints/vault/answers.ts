import { Problem } from '../../platform/http/index.ts';

/** A response of Vault's API. */
export type VaultAnswer = {
  status: number;
  /** Undefined: no body. */
  body?: object | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** The path of the request for metrics. */
  route?: string;
  /** Runs after the response was sent. */
  whenSent?: () => Promise<void>;
};

/** The token that a login or a renewal returns. */
export type VaultAuth = {
  client_token: string;
  accessor: string;
  policies: string[];
  token_policies: string[];
  metadata: Record<string, string> | null;
  lease_duration: number;
  renewable: boolean;
  entity_id: string;
  token_type: 'service';
  orphan: boolean;
  mfa_requirement: null;
  num_uses: number;
};

export type Envelope = {
  data?: unknown;
  auth?: VaultAuth | null;
  warnings?: string[];
  lease_duration?: number;
};

/** Whether a body is one of `answerWith`. */
export const isEnvelope = (body: object | undefined): body is Envelope => body !== undefined && 'wrap_info' in body;

/** Answers in the envelope that Vault's clients read; the request id is that of the request. */
export function answerWith(request_id: string, given: Envelope, status = 200): VaultAnswer {
  const { data = null, auth = null, warnings = null, lease_duration = 0 } = given;
  const lease = { lease_id: '', renewable: false, lease_duration };
  return { status, body: { request_id, ...lease, data, wrap_info: null, warnings, auth } };
}

/** Like `answerWith`, with the members of the data at the top, too, where old clients read them. */
export function answerAtTop(request_id: string, data: Record<string, unknown>): VaultAnswer {
  const { body = {} } = answerWith(request_id, { data });
  return { status: 200, body: { ...data, ...body } };
}

export const noContent: VaultAnswer = { status: 204 };

/** A refusal. Vault's clients read the first of `errors`. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly status: number;
  readonly errors: readonly string[];

  constructor(status: number, ...errors: string[]) {
    super(errors[0] ?? '');
    this.status = status;
    this.errors = errors;
  }
}

/** No token, or none with the permission: Vault's response is the same (never 401). */
export const permissionDenied = (): VaultError => new VaultError(403, 'permission denied');
/** A token that was valid before: by the second error Vault's agent knows that it has to log in again. */
export const invalidToken = (): VaultError => new VaultError(403, 'permission denied', 'invalid token');
export const notThere = (): VaultError => new VaultError(404);
export const unsupportedOperation = (): VaultError => new VaultError(405, 'unsupported operation');

/**
 * A refusal of the domain that says what to do, for administrators of the store.
 *
 * @throws VaultError 403: the missing permission; 404, 400; any other error
 */
export function inAdministratorsWords(error: unknown): never {
  if (!(error instanceof Problem) || error.status >= 500) throw error;
  if (error.type === 'not_found') throw notThere();
  if (error.type === 'forbidden') throw new VaultError(403, 'permission denied', error.message);
  throw new VaultError(400, error.message);
}

/** Deleting a missing value succeeds. @throws any other error */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Problem && error.type === 'not_found')) throw error;
}
