/** Notifications: delivers audit events to webhooks and standard output, and sends e-mail to users. */

export { webhookSecretKind } from './kind.ts';
export { emailQueue, type MailSettings, type MailTexts, type SendEmail, sendMail } from './mail.ts';
export { Notifier, type NotifierDeps } from './notifier.ts';
export { putWebhook } from './put.ts';
export { webhookRoutes } from './routes.ts';
export { WebhookInput } from './schemas.ts';
export { type FailingWebhook, listEveryWebhook, listFailingWebhooks } from './store.ts';
export { asInput as asWebhookInput, changeWebhook, type WebhookDeps } from './webhooks.ts';
