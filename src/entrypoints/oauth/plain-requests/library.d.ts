// Modules of oidc-provider that have no types (`library-seams.ts`).

declare module 'oidc-provider/lib/helpers/als.js' {
  import type { AsyncLocalStorage } from 'node:async_hooks';

  const requests: AsyncLocalStorage<object>;
  export default requests;
}

declare module 'oidc-provider/lib/actions/grants/index.js' {
  import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

  type Grant = {
    handler: (provider: Provider, helpers: object, ctx: KoaContextWithOIDC) => Promise<void>;
    parameters: ReadonlySet<string>;
  };
  export const authorization_code: Grant;
  export const client_credentials: Grant;
  export const refresh_token: Grant;
}

declare module 'oidc-provider/lib/actions/introspection.js' {
  import type { KoaContextWithOIDC } from 'oidc-provider';

  const middleware: ((ctx: KoaContextWithOIDC, next?: () => Promise<void>) => Promise<void>)[];
  export default middleware;
}
