/** The page of an audit event. */
export const eventPath = (id: string) => `/console/audit-log/${id}`;

/** An action of the audit log in words: `client.secret_rotated` is "Client secret rotated". */
export function actionWords(action: string): string {
  const words = action
    .replaceAll(/[._]/g, ' ')
    .replace(/^api key/, 'API key')
    .replace(/^resource server/, 'API');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
