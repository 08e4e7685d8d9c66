/**
 * Whether a key pressed anywhere is for the page: not one that somebody writes with, nor one behind a dialog that lets none
 * through. What a key does goes by its code: with a Hangul input method on, key is a syllable and no letter would match.
 */
export function isForPage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if ((event.target as Element).closest('input, select, textarea')) return false;
  return document.querySelector('dialog:modal:not([data-keys-through])') === null;
}
