import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export type Letter = { from: string; to: string[]; source: string };

/** An e-mail's source without quoted-printable (RFC 2045 §6.7). */
export const plain = (source: string) =>
  source
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A real mail server, which stores the e-mails it receives. */
export class MailServer {
  readonly letters: Letter[] = [];
  /** The number of e-mails to refuse first (451). */
  failures = 0;
  readonly #server: SMTPServer;

  private constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        void text(stream).then((source) => {
          this.failures -= 1;
          if (this.failures >= 0) return done(Object.assign(new Error('try later'), { responseCode: 451 }));
          const { mailFrom, rcptTo } = session.envelope;
          const from = mailFrom ? mailFrom.address : '';
          this.letters.push({ from, to: rcptTo.map(({ address }) => address), source });
          return done();
        });
      },
    });
  }

  static async open(): Promise<MailServer> {
    const mail = new MailServer();
    await new Promise<void>((resolve) => mail.#server.listen(0, '127.0.0.1', resolve));
    return mail;
  }

  /** The settings with which Latchkey sends its e-mail here. */
  get settings(): Record<string, string> {
    const { port } = this.#server.server.address() as AddressInfo;
    return {
      LATCHKEY_SMTP_URL: `smtp://127.0.0.1:${port}`,
      LATCHKEY_MAIL_FROM: 'Example ID <id@example.com>',
      LATCHKEY_BRAND_NAME: 'Example & Sons',
      // Most tests count other e-mails.
      LATCHKEY_NEW_BROWSER_MAIL: 'off',
    };
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
