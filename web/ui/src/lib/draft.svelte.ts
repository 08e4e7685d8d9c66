/** The recipe that is being edited. It outlives a look at another page. */

import type { Recipe, RecipeTest } from './api/types';

let recipe = $state.raw<Recipe | null>(null);
/** The version that it was begun from. */
let from = $state.raw<Recipe | null>(null);
/** What the test of exactly this draft gave. */
let test = $state.raw<RecipeTest | null>(null);

export const draft = {
  get recipe(): Recipe | null {
    return recipe;
  },
  get from(): Recipe | null {
    return from;
  },
  get test(): RecipeTest | null {
    return test;
  },
  begin(next: Recipe, of: Recipe): void {
    [recipe, from, test] = [next, of, null];
  },
  change(next: Recipe): void {
    [recipe, test] = [next, null];
  },
  tested(result: RecipeTest): void {
    test = result;
  },
  discard(): void {
    [recipe, from, test] = [null, null, null];
  },
};
