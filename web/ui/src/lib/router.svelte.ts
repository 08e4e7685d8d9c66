/** The address of the page, and going to another. Every state worth sharing lives in the address. */

let url = $state.raw(new URL(location.href));

addEventListener('popstate', () => (url = new URL(location.href)));

export const route = {
  get path(): string {
    return url.pathname;
  },
  get query(): URLSearchParams {
    return url.searchParams;
  },
};

export function go(to: string): void {
  history.pushState(null, '', to);
  url = new URL(location.href);
  scrollTo(0, 0);
}

/**
 * Changes parts of the query; null or '' removes a key. It replaces the history entry unless push is
 * set, so that panning a map does not bury the page one came from.
 */
export function setQuery(patch: Record<string, string | null>, push = false): void {
  const next = new URL(url);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === '') next.searchParams.delete(key);
    else next.searchParams.set(key, value);
  }
  if (next.search === url.search) return;
  if (push) history.pushState(null, '', next);
  else history.replaceState(null, '', next);
  url = next;
}

/** Lets ordinary clicks on links to this application change the page without loading it anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest('a');
  if (!link || link.target || link.origin !== location.origin || link.hasAttribute('data-native')) return;
  event.preventDefault();
  go(link.href);
}
