/** Assurance: sign-in methods, the class of a sign-in, and demands on it. */

export {
  type Assurance,
  assuranceClasses,
  assuranceOf,
  isAssurance,
  isAtLeast,
  isRequirable,
  methodsOf,
  requirableClasses,
  strongestOf,
  together,
  weakestOf,
} from './classes.ts';
export {
  type Demand,
  demandOf,
  FactorList,
  impliedBy,
  inOrder,
  isAllowed,
  isWithin,
  type Methods,
  meets,
  mustBeReachable,
  narrowedTo,
  reachable,
} from './factors.ts';
