import { indexOf, REVIEWED, type DefectColumns } from '../api/mapbin';
import type { Defect, Recipe, Review } from '../api/types';

export const NO_DEFECT = 'no_defect';

/** The severity of a review as the appliance counts it: the person's, else the recipe's of the class; no defect weighs nothing. */
export function severityOf(recipe: Recipe | null, review: Pick<Review, 'class' | 'severity'>): number {
  return review.class === NO_DEFECT ? 0 : (review.severity ?? recipe?.severity[review.class] ?? 1);
}

/**
 * A coil's defects as people see them: where one was reviewed, with the class and the severity of
 * its review. The columns given stay as they are.
 */
export function asReviewed(
  columns: DefectColumns,
  reviewed: ReadonlyMap<number, Defect>,
  recipe: Recipe | null,
): DefectColumns {
  if (reviewed.size === 0) return columns;
  const out = {
    ...columns,
    classes: [...columns.classes],
    classIndex: columns.classIndex.slice(),
    severity: columns.severity.slice(),
    flags: columns.flags.slice(),
  };
  for (const [id, { review }] of reviewed) {
    const i = indexOf(columns, id);
    if (i < 0 || !review) continue;
    let at = out.classes.indexOf(review.class);
    if (at < 0) at = out.classes.push(review.class) - 1;
    out.classIndex[i] = at;
    out.severity[i] = severityOf(recipe, review);
    out.flags[i] = out.flags[i]! | REVIEWED;
  }
  return out;
}
