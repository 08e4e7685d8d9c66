/** Asking the appliance. A failure is a RequestError that the page can put into a sentence. */

import { t } from '../i18n/index.svelte';
import type {
  AlarmList,
  AlarmRule,
  AlarmRules,
  AlarmRulesTest,
  AlarmRecord,
  CalibrationVersion,
  CameraCheck,
  CameraDetail,
  CameraProfile,
  ClassInfo,
  Coil,
  CoilDetail,
  CoilList,
  CutPlan,
  Decision,
  Defect,
  EncoderDetail,
  Gap,
  Grade,
  Live,
  ModelState,
  Neighbour,
  Readiness,
  Recipe,
  RecipePublished,
  RecipeTest,
  ReviewQueue,
  ReviewRecord,
  ReviewRequest,
  Side,
  TeachingDetail,
  TeachingList,
  Trends,
} from './types';
import { decodeMap, type DefectColumns } from './mapbin';
import { stripPicture, type StripPicture } from './strip';

const BASE = '/api/v1';

export class RequestError extends Error {
  /** status 0: no answer came. */
  constructor(
    readonly status: number,
    readonly detail = '',
  ) {
    super(`request failed with status ${status}`);
  }

  /** One sentence in the language of the page. */
  get sentence(): string {
    if (this.status === 0) return t().error.unreachable;
    if (this.status === 200) return t().error.broken;
    if (this.status === 412) return t().error.stale;
    if (this.status === 409 || this.status === 422) return t().error.refused(this.detail);
    return t().error.failed(this.detail || String(this.status));
  }
}

export function sentenceOf(error: unknown): string {
  return error instanceof RequestError ? error.sentence : t().error.broken;
}

async function ask(path: string, signal?: AbortSignal, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(0);
  }
  if (response.ok) return response;
  throw new RequestError(response.status, await detailOf(response));
}

/** The detail of a problem document, if the answer is one. */
async function detailOf(response: Response): Promise<string> {
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return '';
  const problem: { detail?: string } = await response.json();
  return problem.detail ?? '';
}

async function json<T>(path: string, signal?: AbortSignal, init?: RequestInit): Promise<T> {
  const response = await ask(path, signal, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(200);
  }
}

/** A command on a record as it was seen: 412 where it has changed since. */
function command<T>(
  method: 'PUT' | 'POST' | 'DELETE',
  path: string,
  seen: { id: string | number; revision: number },
  body?: object,
) {
  return json<T>(path, undefined, {
    method,
    headers: { 'Content-Type': 'application/json', 'If-Match': `"${seen.id}-${seen.revision}"` },
    body: body && JSON.stringify(body),
  });
}

export interface TeachingAnswer {
  number: number;
  answer: string;
}

function post<T>(path: string, body: object): Promise<T> {
  return json<T>(path, undefined, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const changeTeaching = (seen: TeachingList, what: string, by: string) =>
  command<TeachingList>(
    'POST',
    `${BASE}/teachings/${what}`,
    { id: 'teachings', revision: seen.revision },
    { by },
  );

/** Lines of the alarms' history that are read at once. */
export const ALARM_LINES = 50;

export interface AlarmCommand {
  event: 'acknowledged' | 'shelved' | 'unshelved' | 'out_of_service' | 'in_service';
  by: string;
  reason?: string;
  minutes?: number;
}

export const api = {
  live: (signal?: AbortSignal) => json<Live>(`${BASE}/live`, signal),
  coils: (query: URLSearchParams, signal?: AbortSignal) => json<CoilList>(`${BASE}/coils?${query}`, signal),
  coil: (id: string, signal?: AbortSignal) =>
    json<CoilDetail>(`${BASE}/coils/${encodeURIComponent(id)}`, signal),
  gaps: async (id: string, signal?: AbortSignal) =>
    (await json<{ gaps: Gap[] }>(`${BASE}/coils/${encodeURIComponent(id)}/gaps`, signal)).gaps,
  defect: (id: number, signal?: AbortSignal) => json<Defect>(`${BASE}/defects/${id}`, signal),
  review: (seen: Defect, said: ReviewRequest) =>
    command<Defect>('PUT', `${BASE}/defects/${seen.id}/review`, seen, said),
  /** Takes back the review that stands, which this person gave. */
  withdraw: (seen: Defect, by: string) =>
    command<Defect>('DELETE', `${BASE}/defects/${seen.id}/review?${new URLSearchParams({ by })}`, seen),
  reviewQueue: (query: URLSearchParams, signal?: AbortSignal) =>
    json<ReviewQueue>(`${BASE}/review-queue?${query}`, signal),
  similar: async (id: number, limit: number, signal?: AbortSignal) =>
    (await json<{ defects: Neighbour[] }>(`${BASE}/defects/${id}/similar?limit=${limit}`, signal)).defects,
  neighbours: async (id: number, limit: number, signal?: AbortSignal) =>
    (await json<{ defects: Neighbour[] }>(`${BASE}/defects/${id}/neighbours?limit=${limit}`, signal)).defects,
  repeats: async (id: number, signal?: AbortSignal) =>
    (await json<{ defects: Defect[] }>(`${BASE}/defects/${id}/repeats`, signal)).defects,
  reviews: async (id: number) =>
    (await json<{ reviews: ReviewRecord[] }>(`${BASE}/defects/${id}/reviews`)).reviews,
  /** Every defect of a coil that a person reviewed. */
  async reviewed(coil: string): Promise<Defect[]> {
    const out: Defect[] = [];
    for (let cursor = ''; ;) {
      const query = new URLSearchParams({ review: 'reviewed', limit: '1000' });
      if (cursor) query.set('cursor', cursor);
      const page = await json<{ defects: Defect[]; next_cursor?: string }>(
        `${BASE}/coils/${encodeURIComponent(coil)}/defects?${query}`,
      );
      out.push(...page.defects);
      if (!page.next_cursor) return out;
      cursor = page.next_cursor;
    }
  },
  regrade: (seen: Coil, by: string) =>
    command<CoilDetail>('POST', `${BASE}/coils/${encodeURIComponent(seen.id)}/regrade`, seen, { by }),
  decide: (
    seen: Coil,
    said: { by: string; disposition: Decision['disposition']; grade: Grade; reason?: string },
  ) => command<CoilDetail>('POST', `${BASE}/coils/${encodeURIComponent(seen.id)}/decision`, seen, said),
  confirmDecision: (seen: Coil, by: string) =>
    command<CoilDetail>('POST', `${BASE}/coils/${encodeURIComponent(seen.id)}/decision/confirm`, seen, {
      by,
    }),
  decisions: async (coil: string, signal?: AbortSignal) =>
    (await json<{ decisions: Decision[] }>(`${BASE}/coils/${encodeURIComponent(coil)}/decisions`, signal))
      .decisions,
  cutPlans: async (coil: string, grade: Grade, least: number) =>
    (
      await json<{ plans: CutPlan[] }>(
        `${BASE}/coils/${encodeURIComponent(coil)}/cut-plan?grade=${grade}&least_m=${least}`,
      )
    ).plans,
  testRecipe: (recipe: Recipe, signal?: AbortSignal) =>
    json<RecipeTest>(`${BASE}/recipes/test`, signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ recipe }),
    }),
  testAlarmRules: (rules: readonly AlarmRule[]) =>
    post<AlarmRulesTest>(`${BASE}/alarms/rules/test`, { rules }),
  publishAlarmRules: (version: number, rules: readonly AlarmRule[], by: string, note: string) =>
    post<AlarmRules>(`${BASE}/alarms/rules`, { version, rules, by, note }),
  alarmRuleVersions: async () => (await json<{ versions: AlarmRules[] }>(`${BASE}/alarms/rules`)).versions,
  publishRecipe: (recipe: Recipe, by: string, note: string) =>
    post<Recipe>(`${BASE}/recipes`, { recipe, by, note }),
  recipeLog: async (signal?: AbortSignal) =>
    (await json<{ published: RecipePublished[] }>(`${BASE}/recipes/log`, signal)).published,
  classes: async () => (await json<{ classes: ClassInfo[] }>(`${BASE}/classes`)).classes,
  recipes: async () => (await json<{ recipes: Recipe[] }>(`${BASE}/recipes`)).recipes,
  teachings: (signal?: AbortSignal) => json<TeachingList>(`${BASE}/teachings`, signal),
  teaching: (id: string, signal?: AbortSignal) =>
    json<TeachingDetail>(`${BASE}/teachings/${encodeURIComponent(id)}`, signal),
  /** Takes seconds; to give it up gives the answers up. */
  answerTeaching: (id: string, by: string, answers: TeachingAnswer[], signal: AbortSignal) =>
    json<TeachingDetail>(`${BASE}/teachings/${encodeURIComponent(id)}/answers`, signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ by, answers }),
    }),
  activateTeaching: (seen: TeachingList, id: string, by: string) =>
    changeTeaching(seen, `${encodeURIComponent(id)}/activate`, by),
  rollBackTeaching: (seen: TeachingList, by: string) => changeTeaching(seen, 'rollback', by),
  stopTeaching: (seen: TeachingList, by: string) => changeTeaching(seen, 'off', by),
  cameras: (signal?: AbortSignal) =>
    json<{ cameras: CameraDetail[] }>(`${BASE}/cameras`, signal).then((read) => read.cameras),
  cameraProfile: (id: string, signal?: AbortSignal) =>
    json<CameraProfile>(`${BASE}/cameras/${encodeURIComponent(id)}/profile`, signal),
  takeDark: (id: string) =>
    json<{ grey: number }>(`${BASE}/cameras/${encodeURIComponent(id)}/dark-reference`, undefined, {
      method: 'POST',
    }),
  calibrate: (id: string, what: 'flat-field' | 'geometry', by: string) =>
    post<CalibrationVersion>(`${BASE}/cameras/${encodeURIComponent(id)}/${what}`, { by }),
  align: (id: string, by: string, other: string, reach: number) =>
    post<CalibrationVersion>(`${BASE}/cameras/${encodeURIComponent(id)}/alignment`, {
      by,
      with: other,
      reach_mm: reach,
    }),
  checkCamera: (id: string, by: string, piece: CameraCheck['piece']) =>
    post<CameraCheck>(`${BASE}/cameras/${encodeURIComponent(id)}/check`, { by, piece }),
  encoder: (signal?: AbortSignal) => json<EncoderDetail>(`${BASE}/encoder`, signal),
  fitScale: (by: string, coils: { coil: string; length_mm: number }[]) =>
    post<CalibrationVersion>(`${BASE}/encoder/scale`, { by, coils }),
  alarms: (signal?: AbortSignal) => json<AlarmList>(`${BASE}/alarms`, signal),
  alarmHistory: (before = 0, signal?: AbortSignal) =>
    json<{ records: AlarmRecord[] }>(
      `${BASE}/alarms/history?before=${before}&limit=${ALARM_LINES}`,
      signal,
    ).then((read) => read.records),
  commandAlarm: (key: string, command: AlarmCommand) =>
    post<AlarmRecord>(`${BASE}/alarms/${encodeURIComponent(key)}`, command),
  trends: (query: URLSearchParams, signal?: AbortSignal) => json<Trends>(`${BASE}/trends?${query}`, signal),
  models: () => json<ModelState>(`${BASE}/models`),
  /** The same document comes with 503 while the appliance is not ready. */
  readiness: async (): Promise<Readiness> => {
    const response = await fetch('/readyz').catch(() => null);
    if (!response) throw new RequestError(0);
    if (!response.ok && response.status !== 503) throw new RequestError(response.status);
    return response.json();
  },
  /** The defects of a coil, but for the first ones that the caller has. */
  async map(id: string, skip = 0): Promise<DefectColumns> {
    const response = await ask(
      `${BASE}/coils/${encodeURIComponent(id)}/map.bin${skip ? `?skip=${skip}` : ''}`,
    );
    return decodeMap(await response.arrayBuffer());
  },
  async strip(side: Side, after: number, signal?: AbortSignal): Promise<StripPicture> {
    const response = await ask(`${BASE}/live/strip?side=${side}&after=${after}`, signal);
    return stripPicture(response.headers, new Uint8Array(await response.arrayBuffer()));
  },
};

export const imageUrl = (id: number) => `${BASE}/defects/${id}/image`;

export const teachingPictureUrl = (id: string) => `${BASE}/teachings/${encodeURIComponent(id)}/picture`;
export const questionPictureUrl = (id: string, number: number) =>
  `${BASE}/teachings/${encodeURIComponent(id)}/questions/${number}/picture`;

export type { Coil };
