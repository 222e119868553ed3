import type { RequestListener } from 'node:http';
import Koa from 'koa';
import compose from 'koa-compose';
import { StatusLists, statusListRoutes } from '../domain/status-lists/index.ts';
import { isForPrograms, publishedDocuments } from '../entrypoints/oauth/index.ts';
import { RepeatedAnswers } from '../platform/http/index.ts';
import type { AppDeps } from './app-deps.ts';
import { startBackgroundWork } from './background-work.ts';
import { openGateway } from './compose/gateway.ts';
import { openOAuth } from './compose/oauth.ts';
import { observing } from './compose/observing.ts';
import { forBrowsers } from './compose/pages.ts';
import { registration } from './compose/registration.ts';
import { openVaultApi } from './compose/vault.ts';
import { everyRequest } from './every-request.ts';
import { openServices } from './services.ts';

export type App = { answer: RequestListener; close: () => Promise<void> };

/** Composes the entrypoints. What is opened here is closed here, in reverse order. */
export async function createApp(deps: AppDeps): Promise<App> {
  const { config, inFlight, issuer, log, metrics } = deps;
  const services = openServices(deps);
  const { db, keys, now } = services;
  const oauth = await openOAuth(deps, services);
  const { plain, programs, provider } = oauth;
  const koa = new Koa({ proxy: true });
  koa.keys = keys.all('cookie').map(({ key }) => key.export().toString('base64url'));
  koa.silent = true;
  const observe = observing(log, metrics);
  const documents = new RepeatedAnswers({
    ...{ issuer, paths: publishedDocuments, version: provider.current },
    observe: (early) => observe({ ...early, route: early.path, status: 200, isFromMemory: true }),
  });
  const gateway = openGateway(deps, services, oauth);
  const vaultApi = openVaultApi(deps, services, oauth);

  koa.use(documents.keep);
  koa.use(everyRequest({ config, issuer, log, metrics, now }));
  const statusLists = statusListRoutes(new StatusLists({ db, issuer, now, signingKeys: provider.keys }));
  const others = compose([statusLists, forBrowsers(deps, services, oauth)]);
  koa.use(registration(deps, services, oauth));
  koa.use((ctx, next) => (isForPrograms(ctx.path) ? programs : others)(ctx, next));

  const background = await startBackgroundWork({ ...deps, services, provider });
  const listener: RequestListener = koa.callback();
  return {
    answer: (request, response) => {
      if (documents.answer(request, response) || gateway.answer(request, response)) return;
      if (vaultApi.answer(request, response)) return;
      inFlight.add(response);
      response.once('close', () => inFlight.delete(response));
      const inKoa = () => listener(request, response);
      if (!plain.answer(request, response, inKoa)) inKoa();
    },
    close: async () => {
      provider.close();
      await background.close();
      await services.close();
      // Last, so that the final writes of the services are sealed, too.
      await background.sealer.close();
    },
  };
}
