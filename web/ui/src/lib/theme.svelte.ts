import type { Theme } from './palette';
import { read, write } from './stored';

const KEY = 'coilsight.theme';

/** Dark until somebody wants it light: a control room is. */
let current = $state<Theme>(read<Theme>(KEY, ['light', 'dark']) ?? 'dark');

function apply(): void {
  document.documentElement.dataset.theme = current;
}

apply();

export const theme = {
  get current(): Theme {
    return current;
  },
  set(next: Theme): void {
    current = next;
    write(KEY, next);
    apply();
  },
};
