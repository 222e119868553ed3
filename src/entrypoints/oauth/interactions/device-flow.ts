import {
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer as ProviderResourceServer,
} from 'oidc-provider';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** The error of the previous input, and the input. */
export type UserCodeProblem = { kind: UserCodeProblemKind; user_code: string };
export type UserCodeProblemKind = 'missing' | 'unknown' | 'expired' | 'used' | 'refused' | 'denied' | 'failed';

/** The form for the user's answer: sent to `action` with the field `xsrf`. */
export type DeviceForm = { action: string; xsrf: string };

/** The pages of the device flow (RFC 8628 §3.3); the pages entrance renders them. */
export type DevicePages = {
  renderUserCode: (ctx: KoaContextWithOIDC, form: DeviceForm, problem: UserCodeProblem | undefined) => void;
  renderUserCodeConfirmation: (
    ctx: KoaContextWithOIDC,
    form: DeviceForm,
    asked: { client: Client; user_code: string },
  ) => void;
  renderDeviceReady: (ctx: KoaContextWithOIDC) => void;
};

/** Device authorization (RFC 8628): codes of 20 consonants, which form no words, 34 bits long. */
export function deviceFlow(pages: DevicePages): DeviceFlow {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: () => ({}),
    userCodeInputSource: async (ctx, _form, _out, error) => pages.renderUserCode(ctx, formOf(ctx), problemOf(error)),
    userCodeConfirmSource: async (ctx, _form, client, _device, user_code) =>
      pages.renderUserCodeConfirmation(ctx, formOf(ctx), { client, user_code }),
    successSource: async (ctx) => pages.renderDeviceReady(ctx),
  };
}

function formOf(ctx: KoaContextWithOIDC): DeviceForm {
  const { secret = '' } = (ctx.oidc.session?.state ?? {}) as { secret?: string };
  return { action: ctx.oidc.urlFor('code_verification'), xsrf: secret };
}

const problems: Record<string, UserCodeProblemKind> = {
  NoCodeError: 'missing',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'refused',
};

/** The library distinguishes errors by their class. */
function problemOf(error: (Error & { userCode?: string }) | undefined): UserCodeProblem | undefined {
  if (error?.cause instanceof ScopeWithheld) return { kind: 'denied', user_code: '' };
  return error && { kind: problems[error.name] ?? 'failed', user_code: error.userCode ?? '' };
}

/** The user may not have what the device requested. */
class ScopeWithheld extends errors.AccessDenied {
  constructor() {
    super('this user may not have the requested scope');
  }
}

type GetResourceServer = (
  ctx: KoaContextWithOIDC,
  identifier: string,
  client: Client,
) => Promise<ProviderResourceServer>;

const personsRoutes: ReadonlySet<string> = new Set(['code_verification', 'device_resume']);

/**
 * Denies a device what its user may not have. The device requested what its client is entitled to, or it would have got no code; what is
 * refused once the user is known is refused to that user (RFC 8628 §3.5: `access_denied`).
 */
export function deniedWithItsPerson(getResourceServer: GetResourceServer): GetResourceServer {
  return async (ctx, identifier, client) => {
    try {
      return await getResourceServer(ctx, identifier, client);
    } catch (error) {
      if (error instanceof errors.InvalidScope && personsRoutes.has(ctx.oidc.route)) throw new ScopeWithheld();
      throw error;
    }
  };
}
