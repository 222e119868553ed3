/** Assurance: with which methods users sign in, what a sign-in is worth, and what is demanded of it. */

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
