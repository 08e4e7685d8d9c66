import { api, RequestError } from './api/client';
import { extend, type DefectColumns } from './api/mapbin';
import type { CoilDetail, Defect, Gap, Recipe } from './api/types';

/** Defects by id, each as it was last seen: a review may come in while an older state is being read. */
function newest(read: readonly Defect[], taken: ReadonlyMap<number, Defect>): Map<number, Defect> {
  const out = new Map(read.map((d) => [d.id, d]));
  for (const d of taken.values()) {
    if (d.revision > (out.get(d.id)?.revision ?? 0)) out.set(d.id, d);
  }
  return out;
}

/** One coil's record, kept fresh while it runs. */
export class CoilRecord {
  detail = $state.raw<CoilDetail | null>(null);
  gaps = $state.raw<readonly Gap[]>([]);
  columns = $state.raw<DefectColumns | null>(null);
  recipe = $state.raw<Recipe | null>(null);
  /** Defects that people reviewed, by id. */
  reviewed = $state.raw<ReadonlyMap<number, Defect>>(new Map());
  error = $state.raw<unknown>(null);
  /** The coil's revision that was read last: it grows with each change of what is here. */
  #revision = 0;
  /** Reviews that were counted then: they change defects that were read before. */
  #reviewed = 0;
  /** Defects that were taken over since the present reading began, which may not know them. */
  #taken = new Map<number, Defect>();
  #reading = false;
  #again = false;

  constructor(readonly id: string) {}

  get missing(): boolean {
    // 422: no coil can have such an id.
    return this.error instanceof RequestError && (this.error.status === 404 || this.error.status === 422);
  }

  /** Reads what has changed. Calls that come while it reads are joined into one more reading. */
  async read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    try {
      do {
        this.#again = false;
        await this.#readOnce();
      } while (this.#again);
    } finally {
      this.#reading = false;
    }
  }

  /** Takes over a review that was just recorded; of the rest only the coil itself has changed with it. */
  async take(defect: Defect): Promise<void> {
    this.#taken.set(defect.id, defect);
    this.reviewed = new Map(this.reviewed).set(defect.id, defect);
    try {
      const detail = await api.coil(this.id);
      if (detail.revision > (this.detail?.revision ?? 0)) this.detail = detail;
    } catch (error) {
      this.error = error;
    }
  }

  /** What was read, with what came since, where a running coil has only grown; null: read all anew. */
  async #newer(detail: CoilDetail): Promise<DefectColumns | null> {
    const old = this.columns;
    if (detail.state !== 'running' || !old?.count || (detail.counts.reviewed ?? 0) !== this.#reviewed)
      return null;
    const all = extend(old, await api.map(this.id, old.count));
    return all.count >= detail.counts.defects ? all : null;
  }

  async #readOnce(): Promise<void> {
    this.#taken.clear();
    try {
      // The first map is asked for at once; one that is older than the coil read beside it is asked for again.
      const early = this.#revision === 0 ? api.map(this.id).catch(() => null) : null;
      const detail = await api.coil(this.id);
      const map = async () => {
        const first = await early;
        if (first && first.revision >= detail.revision) return first;
        return (await this.#newer(detail)) ?? api.map(this.id);
      };
      const isRecipe = (r: Recipe | null) =>
        r?.name === detail.recipe && r?.version === detail.recipe_version;
      if (detail.revision !== this.#revision) {
        const [gaps, columns, reviewed, recipes] = await Promise.all([
          api.gaps(this.id),
          map(),
          detail.counts.reviewed ? api.reviewed(this.id) : [],
          !detail.recipe || isRecipe(this.recipe) ? [] : api.recipes(),
        ]);
        this.gaps = gaps;
        this.columns = columns;
        this.reviewed = newest(reviewed, this.#taken);
        this.recipe = [...recipes, this.recipe].find(isRecipe) ?? null;
        this.#revision = detail.revision;
        this.#reviewed = detail.counts.reviewed ?? 0;
      }
      this.detail = detail;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
  }
}
