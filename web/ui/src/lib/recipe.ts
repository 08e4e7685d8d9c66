/** What recipes say, in lines that can be compared, and drafts of the next version. */

import type { GradingRule, Recipe } from './api/types';
import { className } from './catalogue.svelte';
import { number } from './format';
import { t } from './i18n/index.svelte';

/** The next version of a recipe, to be edited. */
export function draftOf(r: Recipe, newest: number): Recipe {
  return { ...structuredClone(r), version: newest + 1, rules: structuredClone(r.rules) };
}

export function newRule(others: readonly GradingRule[]): GradingRule {
  let n = others.length + 1;
  while (others.some((r) => r.id === `rule-${n}`)) n++;
  return { id: `rule-${n}`, classes: [], count: 1, grade: 'hold' };
}

/** A list as people write it, and back. */
export const joined = (list: readonly string[] | undefined | null) => (list ?? []).join(', ');
export const listed = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);

/** What a recipe says, a line each by its name. */
export function linesOf(r: Recipe): Map<string, string> {
  const g = t().grading;
  const lines = new Map<string, string>();
  lines.set(g.description, r.description);
  lines.set(g.customers, joined(r.customers) || g.all);
  lines.set(g.steelGrades, joined(r.steel_grades) || g.all);
  lines.set(g.prime, g.side[r.prime_side === 'bottom' ? 'bottom' : 'top']);
  lines.set(g.edgeMargin, number(r.edge_margin_mm));
  if (r.head_mm) lines.set(g.head, number(r.head_mm));
  if (r.tail_mm) lines.set(g.tail, number(r.tail_mm));
  lines.set(g.longestGap, number(r.longest_gap_mm));
  lines.set(g.gapGrade, t().grade[r.gap_grade]);
  for (const [id, severity] of Object.entries(r.severity ?? {})) {
    lines.set(`${g.severities}: ${className(id)}`, number(severity));
  }
  for (const q of r.rules) lines.set(q.id, ruleLine(q));
  return lines;
}

/** What a rule counts and what it gives. */
export function ruleLine(q: GradingRule): string {
  const g = t().grading;
  const from = (label: string, value: number | undefined, digits = 0) =>
    value ? `${label} ${number(value, digits)}` : '';
  return [
    q.classes?.length ? q.classes.map((c) => className(c)).join(', ') : t().coil.ruleClasses,
    q.side ? g.side[q.side as 'top'] : '',
    q.zone && q.zone !== 'all' ? g.zone[q.zone as 'edge'] : '',
    q.section && q.section !== 'all' ? g.section[q.section as 'head'] : '',
    from(g.rule.min_severity, q.min_severity),
    from(g.rule.min_area_mm2, q.min_area_mm2),
    from(g.rule.min_length_mm, q.min_length_mm),
    from(g.rule.min_width_mm, q.min_width_mm),
    from(g.rule.min_confidence, q.min_confidence, 2),
    `${g.rule.count} ${number(q.count)}`,
    from(g.rule.within_mm, q.within_mm),
    `→ ${t().grade[q.grade]}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

export interface Difference {
  name: string;
  before: string; // empty: not there
  after: string;
}

/** The lines in which two recipes differ. */
export function differences(before: Recipe, after: Recipe): Difference[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((name) => ({ name, before: a.get(name) ?? '', after: b.get(name) ?? '' }))
    .filter((d) => d.before !== d.after);
}
