// Preloaded into one measured server: token requests record no audit event and nothing is sealed, to measure the cost of
// both. No setting of the server can do this.
import pg from 'pg';

const recording = /, recorded as \([\s\S]*?(?=\nselect n, verdict from judged)/;
const { query } = pg.Client.prototype;

pg.Client.prototype.query = function withoutAudit(this: pg.Client, ...input: unknown[]) {
  const [first] = input as [{ name?: string; text?: string }];
  const { text } = first;
  if (first.name?.startsWith('judge ')) input[0] = { ...first, text: withoutRecording(text ?? '') };
  if (text?.includes("hashtext('latchkey audit sealing')")) input[0] = { ...first, text: 'select false as held' };
  return Reflect.apply(query, this, input);
} as typeof query;

function withoutRecording(text: string): string {
  if (!recording.test(text))
    throw new Error('The token transaction records its events in another way now: adapt this.');
  return text.replace(recording, '');
}
