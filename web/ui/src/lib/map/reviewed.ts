import { indexOf, REVIEWED, type DefectColumns } from '../api/mapbin';
import type { Defect, Recipe } from '../api/types';

export const NO_DEFECT = 'no_defect';

/** The severity that a recipe gives to a class, as the appliance counts it; no defect weighs nothing. */
export function severityOf(recipe: Recipe | null, classId: string): number {
  return classId === NO_DEFECT ? 0 : (recipe?.severity[classId] ?? 1);
}

/**
 * A coil's defects as people see them: where one was reviewed, with the class that the person gave and the
 * severity that the recipe gives it. The columns given stay as they are.
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
    out.severity[i] = severityOf(recipe, review.class);
    out.flags[i] = out.flags[i]! | REVIEWED;
  }
  return out;
}
