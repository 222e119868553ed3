import { z } from 'zod';
import { forbiddenBecause } from '../../../domain/access/index.ts';
import { checked, type Method, Problem, type Route } from '../../../platform/http/index.ts';
import type { PagesDeps } from '../pages.ts';
import { type Administrator, mayDo } from './administrator.ts';

/** A route of the admin API as it is documented: `POST /clients/{client_id}/disable`. */
export type RouteName = `${Method} /${string}`;

export type Given = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** The version that the person saw. */
  ifVersion?: number | undefined;
};

/** The admin API as one person: everything the console reads and does goes through its routes, their permissions and schemas. */
export class AdminCalls {
  readonly #deps: PagesDeps;
  readonly #who: Administrator;

  constructor(deps: PagesDeps, who: Administrator) {
    this.#deps = deps;
    this.#who = who;
  }

  /** Whether the person may use a route. */
  may(name: RouteName): boolean {
    return mayDo(this.#who, this.#route(name).permission);
  }

  /** @throws Problem 403 that names the permission, and why it is missing */
  async mustBeAllowed(name: RouteName): Promise<void> {
    const { permission } = this.#route(name);
    if (mayDo(this.#who, permission)) return;
    const { audience: resource } = this.#deps.admin;
    const description = { subject_id: this.#who.user.id, scopes: ['latchkey:*'], resource, permission };
    throw await forbiddenBecause(this.#deps, description);
  }

  /**
   * What a route answers, seen as its callers see it.
   *
   * @throws Problem whatever the route refuses with
   */
  async read<View extends z.ZodType>(name: RouteName, view: View, given: Given = {}): Promise<z.output<View>> {
    const { response = z.void() } = this.#route(name);
    const result = await this.#call(name, given);
    return z.decode(view, z.encode(response, result as never) as z.input<View>);
  }

  /** Does what a route does. */
  async act(name: RouteName, given: Given = {}): Promise<void> {
    await this.#call(name, given);
  }

  async #call(name: RouteName, { params = {}, query = {}, body = {}, ifVersion }: Given): Promise<unknown> {
    await this.mustBeAllowed(name);
    const route = this.#route(name);
    const input = {
      actor: this.#who.actor,
      params: context(route, params),
      query: checked(route.query, query),
      body: route.body ? checked(route.body, body) : undefined,
      ifVersion,
    };
    return route.handle(input as never);
  }

  #route(name: RouteName): Route {
    const route = this.#deps.admin.routes.find(({ method, path }) => `${method} ${path}` === name);
    if (!route) throw new Error(`The admin API has no ${name}.`);
    return route;
  }
}

/** An address that names nothing there could be is one at which nothing is. */
function context({ params }: Route, given: Record<string, string>): unknown {
  const result = params.safeParse(given);
  if (result.success && !Object.values(given).some((each) => /\p{Cc}/u.test(each))) return result.data;
  throw new Problem(404, 'not_found', { title: 'Not found', detail: 'There is no such thing.' });
}
