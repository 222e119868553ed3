/** Users: people, their passwords, signing in, and the first administrator. */
export { type AuthenticateInput, authenticate, type SignInOutcome } from './authenticate.ts';
export { hashPassword, passwordProblem } from './password.ts';
export { type PasswordInput, UserInput } from './schemas.ts';
export { createSetupLink, isSetupOpen, type SetupDeps, setUpFirstAdministrator } from './setup.ts';
export { findUser, findUserById, listUsers, type User } from './store.ts';
export { Throttles } from './throttles.ts';
export {
  type ChangePasswordResult,
  changePassword,
  disableUser,
  type PutUserResult,
  putUser,
  setPassword,
  type UserDeps,
} from './users.ts';
