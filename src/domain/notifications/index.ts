/** Notifications: delivers audit events to webhooks and standard output, and sends e-mail to users. */

export type { FactorTopic, NoticeEmail } from './email.ts';
export { webhookSecretKind } from './kind.ts';
export { emailQueue, type Mailer, type MailSettings, openMailer, type SendEmail, sendMail } from './mail.ts';
export type { MailTexts } from './mail-words.ts';
export { Notifier, type NotifierDeps } from './notifier.ts';
export { putWebhook } from './put.ts';
export { webhookRoutes } from './routes.ts';
export { WebhookInput } from './schemas.ts';
export { type FailingWebhook, listEveryWebhook, listFailingWebhooks } from './store.ts';
export { asInput as asWebhookInput, changeWebhook, type WebhookDeps } from './webhooks.ts';
