import { allows } from '../../domain/access/index.ts';
import { type NewKeys, sealPermission } from '../../domain/secrets/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { noContent, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { flagIn, numberIn, textIn } from './fields.ts';
import type { Asked, Called, VaultDeps, VaultRoute } from './routing.ts';

/** Replacing the shares of the key. Starting it needs a token; the next steps need shares, and the nonce of the attempt. */
export const rekeyRoutes: readonly VaultRoute[] = [
  {
    path: /^sys\/rekey\/init$/,
    route: '/v1/sys/rekey/init',
    open: { read: rekeyStatus },
    closed: { write: start, delete: cancel },
  },
  { path: /^sys\/rekey\/update$/, route: '/v1/sys/rekey/update', open: { write: update } },
  {
    path: /^sys\/rekey\/verify$/,
    route: '/v1/sys/rekey/verify',
    open: { read: tellVerification, write: verify },
    closed: { delete: restart },
  },
  {
    path: /^sys\/generate-root\/(?:attempt|update)$/,
    route: '/v1/sys/generate-root',
    open: { read: noRoot, write: refuseRoot, delete: noAttempt },
  },
];

/** No attempt is in progress: there are no root tokens. */
async function noRoot({ vault }: VaultDeps): Promise<VaultAnswer> {
  const { threshold: required } = await vault.state();
  const token = { encoded_token: '', encoded_root_token: '', pgp_fingerprint: '', otp: '', otp_length: 0 };
  return { status: 200, body: { nonce: '', started: false, progress: 0, required, complete: false, ...token } };
}

/** @throws VaultError 400 */
async function refuseRoot(): Promise<VaultAnswer> {
  throw new VaultError(400, 'there are no root tokens: log in as an administrator');
}

async function noAttempt(): Promise<VaultAnswer> {
  return noContent;
}

/** @throws VaultError 403 */
function maySeal({ caller: { rights } }: Called): void {
  if (!allows(rights, sealPermission)) throw permissionDenied();
}

/** @throws VaultError 503 */
async function mustBeOpen({ vault }: VaultDeps): Promise<void> {
  if ((await vault.state()).sealed) throw new VaultError(503, 'Vault is sealed');
}

async function rekeyStatus({ vault }: VaultDeps): Promise<VaultAnswer> {
  const state = await vault.rekey.state();
  const { nonce = '', threshold: t = 0, shares: n = 0, progress = 0, required, mustVerify = false } = state ?? {};
  const needed = required ?? (await vault.state()).threshold;
  const verification = state?.verification && { verification_nonce: state.verification.nonce };
  const rest = { pgp_fingerprints: null, backup: false, verification_required: mustVerify, ...verification };
  return { status: 200, body: { nonce, started: state !== undefined, t, n, progress, required: needed, ...rest } };
}

async function start(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  maySeal(asked);
  await mustBeOpen(deps);
  const { body, caller } = asked;
  if (body.pgp_keys) throw new VaultError(400, 'pgp_keys are not supported');
  const shares = numberIn(body, 'secret_shares') ?? 5;
  const threshold = numberIn(body, 'secret_threshold') ?? 3;
  if (shares < 1 || shares > 255 || threshold < 1) throw new VaultError(400, 'invalid seal configuration');
  const mustVerify = flagIn(body, 'require_verification') ?? false;
  await deps.vault.rekey.start(caller.actor, { shares, threshold, mustVerify }).catch(inVaultsWords);
  return rekeyStatus(deps);
}

async function cancel(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  maySeal(asked);
  deps.vault.rekey.cancel();
  return noContent;
}

/** The share and the nonce that a body names. @throws VaultError 400 */
function shareIn({ body }: Asked): { nonce: string; text: string } {
  const text = textIn(body, 'key');
  const nonce = textIn(body, 'nonce');
  if (!text) throw new VaultError(400, "'key' must be specified in request body as JSON");
  if (!nonce) throw new VaultError(400, "'nonce' must be specified in request body as JSON");
  return { nonce, text };
}

async function update(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  await mustBeOpen(deps);
  const made = await deps.vault.rekey.takeShare(shareIn(asked)).catch(inVaultsWords);
  if (!made) return rekeyStatus(deps);
  return { status: 200, body: newKeys(made), ...(made.whenShown && { whenSent: made.whenShown }) };
}

function newKeys({ keys, nonce, verification_nonce }: NewKeys) {
  const texts = {
    keys: keys.map((key) => key.toString('hex')),
    keys_base64: keys.map((key) => key.toString('base64')),
  };
  const verification = {
    verification_required: verification_nonce !== undefined,
    ...(verification_nonce && { verification_nonce }),
  };
  return { nonce, complete: true, ...texts, pgp_fingerprints: null, backup: false, ...verification };
}

async function tellVerification({ vault }: VaultDeps): Promise<VaultAnswer> {
  const state = await vault.rekey.state();
  if (!state?.verification) throw new VaultError(400, 'no rekey verification in progress');
  const { nonce, progress } = state.verification;
  return { status: 200, body: { nonce, started: true, t: state.threshold, n: state.shares, progress } };
}

async function verify(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  await mustBeOpen(deps);
  const share = shareIn(asked);
  const isDone = await deps.vault.rekey.verify(share).catch(inVaultsWords);
  return isDone ? { status: 200, body: { nonce: share.nonce, complete: true } } : tellVerification(deps);
}

async function restart(deps: VaultDeps, asked: Called): Promise<VaultAnswer> {
  maySeal(asked);
  try {
    deps.vault.rekey.restartVerification();
  } catch (error) {
    inVaultsWords(error);
  }
  return tellVerification(deps);
}

function inVaultsWords(error: unknown): never {
  if (!(error instanceof Problem) || error.status >= 500) throw error;
  throw new VaultError(400, error.type === 'invalid' ? `the key ${error.message}` : error.message);
}
