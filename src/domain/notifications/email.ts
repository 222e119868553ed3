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

/** `language`: that of the recipient, if it is known. */
type Recipient = { to: string; language?: string | undefined };

/** The purpose of a one-time link. */
export type LinkTopic = (typeof linkTopics)[number];

/** What happened to an account. */
export type NoticeTopic = (typeof noticeTopics)[number];

/** What happened to a user's sign-in methods other than the password. */
export type FactorTopic = (typeof factorTopics)[number];

/** A one-time link. */
export type LinkEmail = Recipient & { kind: 'link'; about?: LinkTopic | undefined; url: string; expires_at: Date };

/** Tells a user what happened to their account; with a link, how to undo it. `account`: the name by which they know it. */
export type NoticeEmail = Recipient & {
  kind: 'notice';
  about: NoticeTopic;
  account: string;
  at: Date;
  /** The address and the browser. */
  by?: { address: string; browser: string } | undefined;
  link?: { url: string; expires_at: Date } | undefined;
};

/** Reports a leaked credential, where it was found, and whether it is still active. */
type LeakEmail = Recipient & {
  kind: 'leak';
  credential: string;
  /** The name of the credential in each language. */
  credential_in?: Readonly<Record<string, string>> | undefined;
  found_at: string;
  still_works: boolean;
};

/** A code to sign in with. */
type CodeEmail = Recipient & { kind: 'code'; code: string; expires_at: Date };

/** All kinds of e-mail. */
export type Email = LinkEmail | NoticeEmail | LeakEmail | CodeEmail;
