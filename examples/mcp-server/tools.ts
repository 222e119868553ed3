import { allows } from '@latchkey/guard';
import { type AuthInfo, McpServer, type ScopeChallengeHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** The scopes that an app requests when it connects. It requests those of other tools when it calls them. */
export const initialScopes = ['notes:read'];

/** Refuses a call without this permission, and names the scope to request from the user (a step-up challenge). */
const needs =
  (permission: string): ScopeChallengeHandler =>
  ({ authInfo }) =>
    allows(authInfo?.scopes ?? [], permission)
      ? undefined
      : { scopes: [permission], errorDescription: `This tool needs ${permission}.` };

/** The notes of each user. */
const notesOf = new Map<unknown, string[]>();

/** The tools, for this caller. */
export function notesServer(caller: AuthInfo | undefined): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  const subject = caller?.extra?.subject;
  const notes = notesOf.get(subject) ?? [];
  notesOf.set(subject, notes);
  const answer = (text: string) => ({ content: [{ type: 'text' as const, text }] });

  server.registerTool(
    'list_notes',
    { description: 'Lists the notes of the user.', scopeChallenge: needs('notes:read') },
    async () => answer(notes.join('\n') || 'There are no notes.'),
  );

  server.registerTool(
    'add_note',
    {
      description: 'Adds a note.',
      inputSchema: z.object({ text: z.string().max(1000) }),
      scopeChallenge: needs('notes:write'),
    },
    async ({ text }) => answer(`Note ${notes.push(text)} was added.`),
  );

  server.registerTool(
    'delete_notes',
    {
      description: 'Deletes all notes of the user.',
      annotations: { destructiveHint: true },
      scopeChallenge: needs('notes:delete'),
    },
    async () => answer(`${notes.splice(0).length} notes were deleted.`),
  );

  return server;
}
