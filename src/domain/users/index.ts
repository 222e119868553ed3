/** Users: their profiles, passwords, sign-in, and the first administrator. */

export { deleteAccount, deleteOwnAccount } from './account-deletion.ts';
export { authenticate, type SignInOutcome } from './authenticate.ts';
export { addBrought, type Brought } from './brought.ts';
export {
  confirmEmailChange,
  type EmailChangeDeps,
  findPreviousEmail,
  findRequestedEmail,
  requestEmailChange,
  undoEmailChange,
} from './email-changes.ts';
export { unverifyEmail } from './email-verification.ts';
export { carriedState, carry } from './factors/carried-state.ts';
export {
  addOneTimeCodes,
  addPasskey,
  type EnrolmentDeps,
  nameOwnPasskey,
  removeFactor,
  replaceRecoveryCodes,
} from './factors/enrolment.ts';
export {
  canGetEnrolmentLink,
  createEnrolmentLink,
  type EnrolmentLinkDeps,
  findEnrollingUser,
  mailEnrolmentLink,
} from './factors/enrolment-links.ts';
export { KnownPolicy } from './factors/known-policy.ts';
export { base32Of, codeUri, generateCodeSecret } from './factors/one-time-codes.ts';
export {
  madePasskey,
  type PasskeyDeps,
  passkeyCreation,
  passkeyRequest,
  type RelyingParty,
  relyingPartyOf,
} from './factors/passkeys.ts';
export {
  asPolicyInput,
  putSignInPolicy,
  requiredOfUser,
  SignInPolicyInput,
} from './factors/policy.ts';
export { findSignInPolicy } from './factors/policy-store.ts';
export { type FactorProof, type ProvingDeps, proveFactor } from './factors/proving.ts';
export { mailSignInCode, proveSignInCode, requestSignInCode } from './factors/sign-in-codes.ts';
export {
  countRecoveryCodes,
  deleteFactors,
  findOneTimeCodes,
  hasSecondFactor,
  listPasskeys,
  type OneTimeCodes,
  type Passkey,
} from './factors/store.ts';
export { hashProblem } from './hash-formats.ts';
export { passwordKind, passwordLinkKind } from './kind.ts';
export { chooseLanguage, mailLanguageOf } from './language.ts';
export { noteNewBrowser } from './new-browsers.ts';
export { type NoticeDeps, notify } from './notices.ts';
export { generatePassword, hashingLoad, hashNewPassword, type PasswordHash, passwordProblem } from './password.ts';
export { changePassword } from './password-changes.ts';
export { choosePassword, linkedUser, type PasswordLink } from './password-links.ts';
export { forgetPassword } from './password-removal.ts';
export { deleteEveryPasswordLink, deletePasswordLinks, hasPassword } from './password-store.ts';
export { refusesDoubted } from './preparation.ts';
export { addUser, importedHash, putUser } from './profiles.ts';
export { mailRecoveryLink, requestRecovery } from './recovery.ts';
export { userRoutes } from './routes.ts';
export { domainOf, EmailAddress, PasswordLinkView, UserDetailView, UserInput, UserView } from './schemas.ts';
export { createSetupLink, isSetupOpen, looksLikeSetupSecret, setUpFirstAdministrator } from './setup.ts';
export { invitedEmail, mailSignUpLink, requestSignUp, SignUpInput, signUp, signUpProblem } from './sign-up.ts';
export {
  findUser,
  findUserById,
  findUserByUsername,
  listUsernames,
  listUsers,
  listUsersFrom,
  lockUserById,
  noteBrowserLanguage,
  type User,
} from './store.ts';
export { Throttles } from './throttles.ts';
export { disableUser, getUser, noteDownload } from './users.ts';
