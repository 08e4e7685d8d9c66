import type { Theme } from './palette';
import { read, write } from './stored';

const KEY = 'coilsight.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

let current = $state<Theme>(read<Theme>(KEY, ['light', 'dark']) ?? (system.matches ? 'dark' : 'light'));

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
