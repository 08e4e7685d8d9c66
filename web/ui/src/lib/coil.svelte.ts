import { api, RequestError } from './api/client';
import type { DefectColumns } from './api/mapbin';
import type { CoilDetail, Gap, Recipe } from './api/types';

/** One coil's record, kept fresh while it runs. */
export class CoilRecord {
  detail = $state.raw<CoilDetail | null>(null);
  gaps = $state.raw<readonly Gap[]>([]);
  columns = $state.raw<DefectColumns | null>(null);
  recipe = $state.raw<Recipe | null>(null);
  error = $state.raw<unknown>(null);
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

  async #readOnce(): Promise<void> {
    try {
      const detail = await api.coil(this.id);
      const [gaps, columns] = await Promise.all([api.gaps(this.id), api.map(this.id)]);
      if (detail.recipe && this.recipe?.version !== detail.recipe_version) {
        const recipes = await api.recipes();
        this.recipe =
          recipes.find((r) => r.name === detail.recipe && r.version === detail.recipe_version) ?? null;
      }
      this.detail = detail;
      this.gaps = gaps;
      this.columns = columns;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
  }
}
