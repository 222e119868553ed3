import { z } from 'zod';
import { notFound, pageOf, routesWith } from '../../platform/http/index.ts';
import { listAssignmentsOf, listAssignmentsTo } from './assignment-store.ts';
import type { AccessDeps } from './authority.ts';
import { explain } from './rights.ts';
import { grantRole, unassignRole } from './role-assignments.ts';
import { changeRole, createRole, removeRole } from './roles.ts';
import {
  AssignmentInput,
  AssignmentParams,
  AssignmentsQuery,
  AssignmentView,
  ExplainQuery,
  ExplainView,
  RoleChanges,
  RoleInput,
  RoleParams,
  RolesQuery,
  RoleView,
  SubjectParams,
} from './schemas.ts';
import { findRoleByName, findSubject, listRolesFrom } from './store.ts';

type SubjectName = { kind: 'user' | 'client'; subject: string };

const route = routesWith<AccessDeps>();

/** Roles, their assignments, and explanations of permissions. */
export const accessRoutes = [
  route({
    method: 'GET',
    path: '/roles',
    summary: 'List roles and their permissions',
    permission: 'latchkey:role:read',
    query: RolesQuery,
    response: pageOf(RoleView),
    handle: ({ query }, deps) => listRolesFrom(deps.db, query),
  }),
  route({
    method: 'POST',
    path: '/roles',
    summary: 'Create a role; it cannot grant a permission that you do not hold',
    permission: 'latchkey:role:write',
    body: RoleInput,
    response: RoleView,
    status: 201,
    handle: ({ actor, body }, deps) => createRole(deps, actor, body),
  }),
  route({
    method: 'GET',
    path: '/roles/{role}',
    summary: 'Get a role and its permissions',
    permission: 'latchkey:role:read',
    params: RoleParams,
    response: RoleView,
    handle: async ({ params }, deps) => {
      const role = await findRoleByName(deps.db, params.role);
      if (!role) throw notFound('role', params.role);
      return role;
    },
  }),
  route({
    method: 'PATCH',
    path: '/roles/{role}',
    summary: 'Update a role for everyone who has it',
    permission: 'latchkey:role:write',
    params: RoleParams,
    body: RoleChanges,
    response: RoleView,
    handle: ({ actor, params, body, ifVersion }, deps) =>
      changeRole(deps, actor, { name: params.role, ...body, ifVersion }),
  }),
  route({
    method: 'DELETE',
    path: '/roles/{role}',
    summary: 'Delete a role and remove it from everyone',
    permission: 'latchkey:role:write',
    params: RoleParams,
    handle: ({ actor, params }, deps) => removeRole(deps, actor, params.role),
  }),
  route({
    method: 'GET',
    path: '/roles/{role}/assignments',
    summary: 'List the assignments of a role',
    permission: 'latchkey:role:read',
    params: RoleParams,
    query: AssignmentsQuery,
    response: pageOf(AssignmentView),
    handle: async ({ params: { role }, query }, deps) => {
      if (!(await findRoleByName(deps.db, role))) throw notFound('role', role);
      return listAssignmentsOf(deps.db, { role, ...query });
    },
  }),
  route({
    method: 'PUT',
    path: '/roles/{role}/assignments/{kind}/{subject}',
    summary: 'Assign a role to a user or client, permanently or until a time',
    permission: 'latchkey:role:assign',
    params: AssignmentParams,
    body: AssignmentInput,
    handle: async ({ actor, params, body: { until } }, deps) =>
      grantRole(deps, actor, { subject: await getSubject(deps, params), role: params.role, until }),
  }),
  route({
    method: 'DELETE',
    path: '/roles/{role}/assignments/{kind}/{subject}',
    summary: 'Unassign a role from a user or client',
    permission: 'latchkey:role:assign',
    params: AssignmentParams,
    handle: async ({ actor, params }, deps) =>
      unassignRole(deps, actor, { subject: await getSubject(deps, params), role: params.role }),
  }),
  route({
    method: 'GET',
    path: '/assignments/{kind}/{subject}',
    summary: 'List the roles of a user or client',
    permission: 'latchkey:role:read',
    params: SubjectParams,
    response: z.object({ items: z.array(AssignmentView) }),
    handle: async ({ params }, deps) => ({
      items: await listAssignmentsTo(deps.db, (await getSubject(deps, params)).id),
    }),
  }),
  route({
    method: 'GET',
    path: '/explanation',
    summary: 'Explain why a user or client has or lacks a permission at an API',
    permission: 'latchkey:role:read',
    query: ExplainQuery,
    response: ExplainView,
    handle: async ({ query }, deps) => {
      const { id: subject_id } = await getSubject(deps, query);
      const { resource, permission } = query;
      return explain(deps, { subject_id, resource, scopes: [permission], permission });
    },
  }),
];

/** @throws Problem `not_found` */
async function getSubject(
  { db }: AccessDeps,
  { kind, subject }: SubjectName,
): Promise<{ kind: 'user' | 'client'; id: string }> {
  const id = await findSubject(db, { kind, name: subject });
  if (id === undefined) throw notFound(kind, subject);
  return { kind, id };
}
