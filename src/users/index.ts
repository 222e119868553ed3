/** Users: people, their passwords, signing in, and the first administrator. */
export { authenticate } from './authenticate.ts';
export { unverifyEmail, verifyEmail } from './email-verification.ts';
export { generatePassword, hashingLoad, hashNewPassword } from './password.ts';
export { choosePassword, createPasswordLink, linkedUser, type PasswordLink } from './password-links.ts';
export { userRoutes } from './routes.ts';
export { CreatedUserView, PasswordLinkView, PasswordResetView, UserInput, UserView } from './schemas.ts';
export { createSetupLink, isSetupOpen, setUpFirstAdministrator } from './setup.ts';
export { findUser, findUserById, hasPassword, listUsers, type User } from './store.ts';
export { Throttles } from './throttles.ts';
export { changePassword, createUser, disableUser, noteDownload, putUser, setPassword } from './users.ts';
