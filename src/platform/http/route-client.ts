import { z } from 'zod';
import type { Actor } from './actor.ts';
import { decodeAnswer, encodeAnswer } from './answers.ts';
import { JsonLines, type Route, type RouteShape } from './routes.ts';
import { checked, paramsIn } from './serve-routes.ts';

/** A route as it is documented: `POST /clients/{client_id}/disable`. */
export type RouteName<R extends RouteShape> = R extends RouteShape ? `${R['method']} ${R['path']}` : never;

type Named<R extends RouteShape, Name> = R extends RouteShape
  ? Name extends `${R['method']} ${R['path']}`
    ? R
    : never
  : never;
/** The response of the named route, decoded. */
export type Answered<R extends RouteShape, Name> = z.output<NonNullable<Named<R, Name>['response']>>;

/** The parameters of a call, as on the wire. */
export type CallInput = {
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
  /** The version that the caller saw; undefined: any. */
  ifVersion?: number | undefined;
};

/** Sends a call to where its route is served, and returns the response as on the wire. */
export type Transport<R extends RouteShape> = (route: R, input: CallInput) => Promise<unknown>;

/** Routes by their names. */
export type RouteTable<R extends RouteShape> = ReadonlyMap<string, R>;
export const routeTable = <R extends RouteShape>(routes: readonly R[]): RouteTable<R> =>
  new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));

/**
 * The routes of an API as functions, the same for routes in this process (`inProcess`) and for a server elsewhere.
 * Every refusal of a route is thrown as a `Problem`.
 */
export class RouteClient<R extends RouteShape> {
  readonly #routes: RouteTable<R>;
  readonly #send: Transport<R>;

  constructor(routes: RouteTable<R>, send: Transport<R>) {
    this.#routes = routes;
    this.#send = send;
  }

  route(name: RouteName<R>): R {
    const route = this.#routes.get(name);
    if (!route) throw new Error(`There is no route ${name}.`);
    return route;
  }

  /** The response of a route, on the wire. */
  send(route: R, input: CallInput = {}): Promise<unknown> {
    return this.#send(route, input);
  }

  /** The response of a route, decoded by its schema. */
  async call<Name extends RouteName<R>>(name: Name, input: CallInput = {}): Promise<Answered<R, Name>> {
    const route = this.route(name);
    const { response = z.void() } = route;
    return decodeAnswer(response, await this.send(route, input)) as Answered<R, Name>;
  }
}

/** Calls routes in this process, for one actor: with their schemas, like a request over HTTP. */
export function inProcess<Deps>(deps: Deps, actor: Actor): Transport<Route<Deps>> {
  return async (route, { params = {}, query = {}, body, ifVersion }) => {
    const input = {
      actor,
      params: paramsIn(route, params),
      query: checked(route.query, query),
      body: route.body ? checked(route.body, body ?? {}) : undefined,
      ifVersion,
    };
    const result = await route.handle(input as never, deps);
    const { response } = route;
    return response === undefined || response === JsonLines ? result : encodeAnswer(response, result);
  };
}
