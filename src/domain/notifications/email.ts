export const linkTopics = [
  'choose_password',
  'recover_password',
  'confirm_email',
  'sign_up',
  'add_second_factor',
] as const;
const factorTopics = [
  'passkey_added',
  'passkey_removed',
  'totp_added',
  'totp_removed',
  'recovery_codes_created',
  'recovery_code_used',
  'factors_reset',
  'identity_linked',
  'identity_unlinked',
] as const;
export const noticeTopics = [
  'new_browser',
  'password_changed',
  'email_changed',
  'account_deleted',
  'account_exists',
  ...factorTopics,
  'test',
] as const;

/** `language`: that of the recipient, where it is known. */
type Recipient = { to: string; language?: string | undefined };

/** What a one-time link is for. */
export type LinkTopic = (typeof linkTopics)[number];

/** What happened to an account. */
export type NoticeTopic = (typeof noticeTopics)[number];

/** What happened to how a user signs in beside their password. */
export type FactorTopic = (typeof factorTopics)[number];

/** A one-time link. */
export type LinkEmail = Recipient & { kind: 'link'; about?: LinkTopic | undefined; url: string; expires_at: Date };

/** Tells a person what happened to their account; with a link, how they can undo it. `account`: how they know it. */
export type NoticeEmail = Recipient & {
  kind: 'notice';
  about: NoticeTopic;
  account: string;
  at: Date;
  /** From where, and with what browser. */
  by?: { address: string; browser: string } | undefined;
  link?: { url: string; expires_at: Date } | undefined;
};

/** Reports a credential that was found in public, where, and whether it is still active. */
type LeakEmail = Recipient & {
  kind: 'leak';
  credential: string;
  /** In each language. */
  credential_in?: Readonly<Record<string, string>> | undefined;
  found_at: string;
  still_works: boolean;
};

/** A code to sign in with. */
type CodeEmail = Recipient & { kind: 'code'; code: string; expires_at: Date };

/** What is mailed. */
export type Email = LinkEmail | NoticeEmail | LeakEmail | CodeEmail;
